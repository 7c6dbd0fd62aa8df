# Shorthands. Everything is a `cargo xtask` task; `cargo xtask help` lists them.
.PHONY: c bd build doctor

c: ## the whole gate
	+cargo xtask check

bd: ## the service's image
	+cargo xtask bd

build: ## the service's binary
	+cargo xtask build

doctor: ## the tools of this machine
	+cargo xtask doctor
