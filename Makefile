# Shorthands. Everything is a `cargo xtask` task; `cargo xtask help` lists them.
.PHONY: c bd build doctor clean

# Jobs in all, unless `make -j N` shares its own: as many as a container may use, as Linux has, or as macOS has.
CORES := $(shell { read -r quota period </sys/fs/cgroup/cpu.max && [ "$$quota" != max ] \
	&& echo $$(((quota + period - 1) / period)); } 2>/dev/null \
	|| nproc 2>/dev/null || sysctl -n hw.logicalcpu 2>/dev/null || echo 2)
export CARGO_BUILD_JOBS ?= $(CORES)

c: ## the whole gate
	+cargo xtask check

bd: ## the service's image
	+cargo xtask bd

build: ## the service's binary
	+cargo xtask build

doctor: ## the tools of this machine
	+cargo xtask doctor

clean: ## what takes space
	+cargo xtask clean
