# SPDX-License-Identifier: GPL-2.0-or-later
# `make help` lists the targets. None of them needs root if all packages are installed.

VENV     ?= .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
CORE     := $(VENV)/.core
DEMO     ?= /tmp/patchgen-demo-$(shell id -un)

LOCK     := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
            --no-annotate --no-header --quiet

# COMMAND:PACKAGE or FILE:PACKAGE, as tools/need reads them.
RUN_TOOLS   := git:git spatch:coccinelle perl:perl
BUILD_TOOLS := make:make gcc:gcc flex:flex bison:bison bc:bc xz:xz-utils ocamlc:ocaml-nox
FILES       := /usr/lib/git-core/git-send-email:git-email \
               /usr/share/perl5/Mail/Address.pm:libmailtools-perl \
               /usr/share/perl5/IO/Socket/SSL.pm:libio-socket-ssl-perl \
               /usr/share/perl5/Authen/SASL.pm:libauthen-sasl-perl /usr/include/libelf.h:libelf-dev \
               /usr/include/stdlib.h:libc6-dev /usr/include/openssl/opensslv.h:libssl-dev
B4          := /usr/bin/b4:b4
QEMU        := qemu-system-x86_64:qemu-system-x86
CHROMIUM    := chromium:chromium
MANUAL      := groff:groff-base mandoc:mandoc
SHELLS      := zsh:zsh fish:fish
DEBIAN      := dh:debhelper dh_python3:dh-python \
               /var/lib/dpkg/info/build-essential.list:build-essential \
               /var/lib/dpkg/info/python3-venv.list:python3-venv
KERNELS     := /usr/src/linux-source-6.1.tar.xz:linux-source-6.1 \
               /usr/src/linux-source-6.12.tar.xz:linux-source-6.12

.PHONY: help
help:
	@echo 'make demo              apply pvops to a toy tree, and show the series'
	@echo 'make demo TREE=LINUX   the same on a real kernel tree (a git repository)'
	@echo 'make demo DEMO=FOLDER  the same in another folder than $(DEMO);'
	@echo '                       its name begins with patchgen-demo'
	@echo 'make check             lint, and the tests to run while you work, in three minutes'
	@echo 'make test              lint, and all tests, with the real kernels where they can be had'
	@echo 'make torture           kill each command with SIGKILL at hundreds of moments, and try'
	@echo '                       all examples of the property tests'
	@echo 'make lint              ruff, mypy --strict, import rules'
	@echo 'make docs              the pages of docs/ as a site in build/site, and manual pages'
	@echo 'make bench             time the whole job against its parts and the manual way'
	@echo 'make dist              build the sdist and the wheel of the current commit into dist/'
	@echo 'make schemas           write the JSON schemas of TOML files from their models'
	@echo 'make deb               build a Debian package next to this folder, and check it'
	@echo 'make deb-test          install it in a bare Debian root, and make a series (needs root)'
	@echo 'make lock              choose the Python packages in the Debian package anew'
	@echo 'make venv              install patchgen and its tools for development into $(VENV)'
	@echo 'make clean             remove all files that these targets made'

# --- packages -----------------------------------------------------------------------------------

.PHONY: run-tools test-tools
run-tools:
	@tools/need $(RUN_TOOLS)
test-tools: run-tools
	@tools/need $(BUILD_TOOLS) $(FILES)
	@tools/need --optional $(KERNELS) $(QEMU) $(B4) $(CHROMIUM) $(MANUAL) $(SHELLS) $(DEBIAN)

# The build hook makes the manual pages of a wheel, and needs the dependencies for that; an editable
# install has no manual pages, and pip does not compile it. With PYTHONDONTWRITEBYTECODE set, each
# run would compile it again.
define install
	@tools/need --python
	python3 -m venv $(VENV)
	HATCH_BUILD_NO_HOOKS=true \
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '$(1)'
	$(BIN)/python -m compileall -q patchgen
endef

.PHONY: venv
venv: $(STAMP)
$(STAMP): pyproject.toml
	$(call install,.[dev])
	@touch $(CORE) $@
$(CORE): pyproject.toml
	$(call install,.)
	@touch $@

# --- demo ---------------------------------------------------------------------------------------

.PHONY: demo
demo: run-tools $(CORE)
	@tools/demo $(BIN)/patchgen '$(DEMO)' '$(TREE)'

# --- test ---------------------------------------------------------------------------------------

# The folders of fast tests, and of tests/cli one file for each kind of command.
CHECKED := tests/unit tests/smpl tests/git tests/mail \
           $(patsubst %,tests/cli/test_%.py,apply commands import run trailers verify)

.PHONY: schemas
schemas: $(STAMP)
	$(BIN)/python -m patchgen.spec.schema patchgen/schemas

.PHONY: lint check test torture
lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: run-tools $(STAMP) lint
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadgroup -m 'not slow and not torture' $(CHECKED)

test: test-tools $(STAMP) lint
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadgroup --durations=5

torture: test-tools $(STAMP)
	$(BIN)/python -m pytest --numprocesses=2 -m 'torture or hypothesis' --hypothesis-profile=all

# --- docs ---------------------------------------------------------------------------------------

.PHONY: docs
docs: $(STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going docs build/site
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python tools/manual.py build/man/man1
	@echo 'the site is build/site/index.html; the manual: man -M build/man patchgen'

# --- packages to publish ------------------------------------------------------------------------

.PHONY: dist
dist: $(STAMP)
	rm -rf dist
	tools/dist $(BIN)/python dist
	$(BIN)/python -m twine check --strict dist/*

.PHONY: deb deb-test
deb:
	@tools/need $(DEBIAN) lintian:lintian
	dpkg-buildpackage --unsigned-changes --build=binary
	lintian --fail-on error ../$$(awk '/\.deb / { print $$1 }' debian/files)
deb-test: deb
	@tools/need debootstrap:debootstrap
	tools/deb-test ../$$(awk '/\.deb / { print $$1 }' debian/files)

# uv resolves for all versions of Python and all architectures at once.
.PHONY: lock
lock: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(LOCK) pyproject.toml --output-file requirements.lock
	echo 'hatchling>=1.21' | $(LOCK) - --output-file build-requirements.lock

# --- bench --------------------------------------------------------------------------------------

.PHONY: bench
bench: test-tools $(STAMP)
	$(BIN)/python -m compileall -q patchgen
	$(BIN)/python benchmarks/apply.py
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python benchmarks/replay.py

.PHONY: clean
clean:
	rm -rf $(VENV) '$(DEMO)' build dist docs/reference .artefacts
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	git clean -dfqX debian
