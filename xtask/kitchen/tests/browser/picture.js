// A picture as one with a palette, which is a third as large: a screen has few colours. Of `data`, a PNG in base64.
(async (data) => {
  /** The square of a distance of two colours that nobody sees. */
  const ALIKE = 100;
  const whole = await createImageBitmap(new Blob([Uint8Array.fromBase64(data)]));
  const { width, height } = whole;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(whole, 0, 0);
  const pixels = new DataView(canvas.getImageData(0, 0, width, height).data.buffer);

  const counts = new Map();
  for (let at = 0; at < width * height; at += 1) {
    const colour = pixels.getUint32(4 * at) >>> 8;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const far = (one, two) => parts(one).reduce((sum, value, at) => sum + (value - parts(two)[at]) ** 2, 0);
  const palette = [];
  for (const [colour] of [...counts].sort((one, two) => two[1] - one[1] || one[0] - two[0])) {
    if (palette.length < 256 && palette.every((other) => far(colour, other) > ALIKE)) palette.push(colour);
  }
  const nearest = (colour) => palette.reduce((best, other, at) => (far(colour, other) < far(colour, palette[best]) ? at : best), 0);
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(colour)]));

  const rows = new Uint8Array((width + 1) * height);
  for (let at = 0; at < width * height; at += 1) {
    rows[at + Math.floor(at / width) + 1] = places.get(pixels.getUint32(4 * at) >>> 8);
  }
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));

  /** A chunk of PNG: length, name, content, CRC-32 of the two. */
  function chunk(name, content) {
    const bytes = new Uint8Array(content.length + 12);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, content.length);
    bytes.set(new TextEncoder().encode(name), 4);
    bytes.set(content, 8);
    let sum = ~0;
    for (const byte of bytes.subarray(4, -4)) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    }
    view.setUint32(content.length + 8, ~sum);
    return [...bytes];
  }
  const size = new DataView(new ArrayBuffer(13));
  size.setUint32(0, width);
  size.setUint32(4, height);
  size.setUint16(8, 0x0803);
  return [
    137, 80, 78, 71, 13, 10, 26, 10,
    ...chunk("IHDR", new Uint8Array(size.buffer)),
    ...chunk("PLTE", Uint8Array.from(palette.flatMap(parts))),
    ...chunk("IDAT", new Uint8Array(await packed.arrayBuffer())),
    ...chunk("IEND", []),
  ];
})
