// Shows /openapi.json, and sends the requests that it describes. No library, no other server.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let api;

const text = (node, selector, value) => (node.querySelector(selector).textContent = value ?? "");
const resolve = (schema) =>
  schema?.$ref ? schema.$ref.split("/").slice(1).reduce((part, name) => part[name], api) : (schema ?? {});

/** An example that fits the schema. */
function example(schema) {
  schema = resolve(schema);
  const type = [schema.type].flat().find((one) => one !== "null");
  if (type === "object") {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, example(one)]));
  }
  if (type === "array") return [example(schema.items)];
  return { integer: 1, number: 1, boolean: true }[type] ?? (schema.format === "date-time" ? new Date(0) : "text");
}

function field(name, note, input) {
  const label = document.getElementById("field").content.cloneNode(true).querySelector("label");
  text(label, ".name", name);
  text(label, "small", note);
  label.append(input);
  return label;
}

function inputs(operation) {
  const fields = (operation.parameters ?? []).map((parameter) => {
    const input = document.createElement("input");
    input.required = parameter.required ?? false;
    input.dataset.in = parameter.in;
    input.name = parameter.name;
    return field(parameter.name, `${parameter.in}: ${parameter.description ?? resolve(parameter.schema).type}`, input);
  });
  const content = operation.requestBody?.content?.["application/json"];
  if (content) {
    const area = document.createElement("textarea");
    area.name = "body";
    area.value = JSON.stringify(example(content.schema), null, 2);
    fields.push(field("body", "JSON", area));
  }
  return fields;
}

/** The request that the form describes; the service may stand below a prefix of a proxy. */
function request(method, path, form) {
  const query = new URLSearchParams();
  const options = { method: method.toUpperCase(), headers: {} };
  for (const input of form.querySelectorAll("input")) {
    if (input.value === "") continue;
    if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    if (input.dataset.in === "query") query.set(input.name, input.value);
    if (input.dataset.in === "header") options.headers[input.name] = input.value;
  }
  const body = form.querySelector("textarea");
  if (body) Object.assign(options, { body: body.value, headers: { ...options.headers, "content-type": "application/json" } });
  return [`.${path}${query.size ? `?${query}` : ""}`, options];
}

/** Shows the answer as it arrives: some never end. */
async function send(method, path, form, answer) {
  answer.hidden = false;
  text(answer, ".headers", "");
  text(answer, ".content", "");
  try {
    const response = await fetch(...request(method, path, form));
    text(answer, ".status", `${response.status} ${response.statusText}`);
    text(answer, ".headers", [...response.headers].map((header) => header.join(": ")).join("\n"));
    const decoder = new TextDecoder();
    let content = "";
    for (const reader = response.body?.getReader(); reader; ) {
      const { done, value } = await reader.read();
      if (done) break;
      content += decoder.decode(value, { stream: true });
      text(answer, ".content", content);
    }
    if (/json/.test(response.headers.get("content-type"))) {
      text(answer, ".content", JSON.stringify(JSON.parse(content), null, 2));
    }
  } catch (error) {
    text(answer, ".status", `No answer: ${error.message}`);
  }
}

function section(method, path, operation) {
  const details = document.getElementById("operation").content.cloneNode(true).querySelector("details");
  text(details, ".method", method);
  text(details, ".path", path);
  text(details, ".summary", operation.summary);
  text(details, ".description", operation.description);
  details.querySelector(".fields").append(...inputs(operation));
  for (const [status, response] of Object.entries(operation.responses)) {
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = status;
    description.textContent = [response.description, ...Object.keys(response.content ?? {})].filter(Boolean).join(" · ");
    details.querySelector(".responses").append(term, description);
  }
  details.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, event.target, details.querySelector(".answer"));
  });
  return details;
}

async function show() {
  api = await (await fetch("openapi.json")).json();
  document.title = api.info.title;
  text(document, "h1", `${api.info.title} ${api.info.version}`);
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => item[one])) {
      document.querySelector("main").append(section(method, path, item[method]));
    }
  }
}

show();
