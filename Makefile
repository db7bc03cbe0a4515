# What a person or a CI machine types here. Everything that needs more than a few lines lives in playbooks/.
#
# There are two ways to run wsmgr on a machine:
#   system  root (or sudo) sets up a service user, its rootless podman and the program, by playbooks/site.yml
#   user    an ordinary user whose own rootless podman works gets the program in ~/.local; nothing needs root

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# ---- what tests there are ----------------------------------------------------------------------------------------

# Pure and shell tests: no engine, no network, any user. None of them uses schemathesis, for which each process of
# theirs would otherwise wait.
CHECK_TESTS = tests/core tests/settings tests/wire tests/bootstrap tests/control tests/api tests/client tests/cli \
	tests/docs \
	tests/adapters/podman tests/adapters/channel tests/adapters/cgroup tests/adapters/plans tests/adapters/webhook \
	tests/adapters/host tests/adapters/vault tests/contract/vault tests/adapters/volumes tests/adapters/bundles \
	tests/adapters/validator tests/contract/validator tests/fakes tests/soak tests/tui/model \
	$(wildcard tests/tui/test_*.py)
# The terminal UI's screens, and pictures of them: pure as well, and too many for `make check`.
SCREEN_TESTS = tests/tui/app
PICTURE_TESTS = tests/tui/snapshots
# Those that need rootless podman, PostgreSQL's programs or npm; they run as an unprivileged user. The store's are
# among the contract tests.
CONTRACT_TESTS = tests/contract tests/adapters/worker
STORE_TESTS = tests/contract/store
PODMAN_TESTS = tests/podman
# Of these, those that need volumes: root makes and mounts them for the run, and without root they are left out.
VOLUME_TESTS = tests/podman/data
VOLUMES = $(WORK)/volumes-$(TEST_USER)
WITH_DATA = $(and $(ROOT),$(filter $(PODMAN_TESTS) $(VOLUME_TESTS)%,$(TESTS)))
# Those that need a host of their own, with systemd and delegated control groups: one in an emulator.
HOST_TESTS = tests/host
BENCH = -m tests.bench
SOAK = -m tests.soak
# More for pytest (or for the bench and the soak): make test-podman ARGS="-k adopt -x"
ARGS ?=

# ---- where things are --------------------------------------------------------------------------------------------

ROOT := $(if $(filter 0,$(shell id -u)),yes)
DEV := $(if $(ROOT),/opt/wsmgr/dev,$(CURDIR)/.venv)
WORK := $(if $(ROOT),/opt/wsmgr/work,$(CURDIR)/.build)
SAMPLES := $(WORK)/samples
USER_VENV := $(HOME)/.local/share/wsmgr/venv
TEST_USER ?= wsmgr-test
TEST_HOME := /var/lib/$(TEST_USER)

# The first Python from 3.11 on; the distribution's own where there is one, so that every user can run it.
PYTHON ?= $(shell for python in /usr/bin/python3 /usr/bin/python3.14 /usr/bin/python3.13 /usr/bin/python3.12 \
	/usr/bin/python3.11 python3; do "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
	&& echo "$$python" && break; done)

# Settings of the machine that pip, npm and TLS need to work; nothing else of the caller's environment is passed on.
PASSED := NODE_EXTRA_CA_CERTS SSL_CERT_FILE REQUESTS_CA_BUNDLE http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY \
	NO_PROXY CI HYPOTHESIS_PROFILE $(filter PIP_% npm_config_%,$(.VARIABLES))

# user, system, sudo (an ordinary user who has to become root), or none. What was chosen once stays chosen; rootless
# podman counts as working when it maps more than the user's own id.
MODE = $(if $(ROOT),system,$(shell \
	if [ -x "$(USER_VENV)/bin/wsmgr" ]; then echo user; \
	elif [ -e /etc/wsmgr/made/wsmgr.json ] && command -v sudo > /dev/null; then echo sudo; \
	elif [ "$$(podman unshare cat /proc/self/uid_map 2> /dev/null | wc -l)" -ge 2 ]; then echo user; \
	elif command -v sudo > /dev/null; then echo sudo; else echo none; fi))
comma := ,
space := $() $()
SUDO_MAKE = sudo --preserve-env=$(subst $(space),$(comma),$(strip $(PASSED))) $(MAKE)
NEED_ROOT = echo "This needs root once, to install packages: run it as root, install sudo, or set up rootless podman" \
	"so that 'podman info' works for you; then run it again." >&2; exit 1

PLAYBOOK = env ANSIBLE_CONFIG=$(CURDIR)/playbooks/ansible.cfg ANSIBLE_HOME=$(WORK)/ansible \
	ANSIBLE_REMOTE_TEMP=$(WORK)/ansible/tmp PYTHONDONTWRITEBYTECODE=1 \
	PATH=$(DEV)/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin $(DEV)/bin/ansible-playbook

# What the installed program and host depend on: the tree, and the boot, which empties /run.
PROGRAM := wsmgr tui containerfiles playbooks pyproject.toml requirements.lock README.md LICENSE
FINGERPRINT = { find $(1) -type f -not -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; \
	cat /proc/sys/kernel/random/boot_id; } | sha256sum | cut -c 1-64

# ---- for people --------------------------------------------------------------------------------------------------

.PHONY: help
help: ## This list
	echo "wsmgr: make TARGET"
	echo
	sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name what; do
	  printf '%-16s %s\n' "$$name" "  $$what"
	done

.PHONY: up
up: ## Set this machine up, start the daemon and run a sample plugin; FORCE=1 runs the playbooks even if nothing changed
	case "$(MODE)" in
	  system) $(MAKE) up-system ;;
	  user) $(MAKE) up-user ;;
	  sudo)
	    echo "==> Packages and a service user are needed: sudo does that part"
	    $(SUDO_MAKE) up
	    ;;
	  *) $(NEED_ROOT) ;;
	esac

.PHONY: down
down: ## Stop the daemon and its workspaces
	if [[ -x "$(USER_VENV)/bin/wsmgr" && -z "$(ROOT)" ]]; then
	  "$(USER_VENV)/bin/wsmgr" shutdown
	elif [[ ! -x /usr/local/bin/wsmgr ]]; then
	  echo "Nothing runs: wsmgr is not installed here."
	elif [[ -n "$(ROOT)" ]]; then
	  /usr/local/bin/wsmgr shutdown
	else
	  sudo /usr/local/bin/wsmgr shutdown
	fi

.PHONY: clean
clean: ## Stop everything and remove all that was made here; packages stay
	if [[ -n "$(ROOT)" ]]; then
	  $(MAKE) clean-system
	elif [[ -x "$(USER_VENV)/bin/wsmgr" || ! -d /etc/wsmgr/made ]]; then
	  $(MAKE) clean-user
	  [[ ! -d /etc/wsmgr/made ]] || echo "==> What root has set up on this machine stays: make clean as root removes it"
	else
	  command -v sudo > /dev/null || { echo "Root has set this machine up: make clean as root removes that." >&2; exit 1; }
	  echo "==> The service user and what belongs to it: sudo removes them"
	  $(SUDO_MAKE) clean
	fi
	rm -rf .build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .grimp_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	echo "Clean."

# ---- for developers ----------------------------------------------------------------------------------------------

.PHONY: dev
dev: ## Make or repair the Python environment for development and tests
	$(if $(PYTHON),,echo "No Python 3.11 or later found: install python3." >&2; exit 1)
	[[ -f requirements.lock ]] || { echo "requirements.lock is missing: it is part of the repository." >&2; exit 1; }
	wanted=$$(cat requirements.lock pyproject.toml | sha256sum | cut -c 1-64)
	if [[ $$(cat $(DEV)/.wsmgr-stamp 2> /dev/null) == "$$wanted" && -x $(DEV)/bin/python ]]; then exit 0; fi
	if ! $(PYTHON) -c 'import ensurepip, venv' 2> /dev/null; then
	  echo "==> Installing Python's venv module"
	  command -v apt-get > /dev/null || { echo "$(PYTHON) has no venv module: install it." >&2; exit 1; }
	  become=$$([[ -n "$(ROOT)" ]] || echo sudo)
	  [[ -z $$become ]] || command -v sudo > /dev/null || { $(NEED_ROOT); }
	  $$become apt-get update -qq
	  $$become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    python3-venv python3-apt > /dev/null
	fi
	umask 022
	mkdir -p $(dir $(DEV)) $(WORK)
	exec 9> $(WORK)/dev.lock
	flock 9
	if ! $(DEV)/bin/python -m pip --version > /dev/null 2>&1; then
	  echo "==> Making the Python environment $(DEV)"
	  $(PYTHON) -m venv --clear $(DEV)
	fi
	echo "==> Installing the locked packages into $(DEV)"
	$(DEV)/bin/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.3'
	$(DEV)/bin/python -m pip install -qq --disable-pip-version-check --constraint requirements.lock \
	  --requirement <($(DEV)/bin/python -c "$$DECLARED") --group dev
	echo "$$wanted" > $(DEV)/.wsmgr-stamp

define DECLARED
import pathlib, tomllib
declared = tomllib.loads(pathlib.Path("pyproject.toml").read_text())
print(*declared["project"]["dependencies"], sep="\n")
endef
export DECLARED

.PHONY: check
check: dev ## Lint, types, import contracts, playbooks, pure and shell tests but the slow ones (about a minute)
	$(MAKE) -j4 --keep-going --output-sync=target lint types playbooks test-pure QUICK=yes

.PHONY: lint
lint: dev ## Style, formatting and the import contracts
	$(DEV)/bin/ruff check --quiet
	$(DEV)/bin/ruff format --check --quiet || { echo "Not formatted: ruff format mends it." >&2; exit 1; }
	$(DEV)/bin/lint-imports

.PHONY: types
types: dev ## Types, strictly
	$(DEV)/bin/mypy

.PHONY: playbooks
playbooks: dev ## The playbooks: syntax and lint
	mkdir -p $(WORK)/ansible
	for inventory in playbooks/inventory/*.yml; do
	  $(PLAYBOOK) --syntax-check --inventory $$inventory playbooks/site.yml playbooks/uninstall.yml > /dev/null
	done
	env ANSIBLE_CONFIG=$(CURDIR)/playbooks/ansible.cfg ANSIBLE_HOME=$(WORK)/ansible PATH=$(DEV)/bin:$$PATH \
	  $(DEV)/bin/ansible-lint --offline --nocolor -q playbooks
	echo "playbooks: no fault found"

.PHONY: test-pure
test-pure: dev ## Pure and shell tests alone; QUICK=yes leaves out those marked slow, and has fewer examples of properties
	$(DEV)/bin/python -m pytest -n 2 -p no:schemathesis $(CHECK_TESTS) \
	  $(if $(QUICK),-m 'not slow' --hypothesis-profile=quick) $(ARGS)

.PHONY: test
test: dev ## The whole test command: what check does in full, then everything that needs podman, PostgreSQL or npm
	$(MAKE) -j4 --keep-going --output-sync=target lint types playbooks test-pure
	$(MAKE) test-pictures
	$(MAKE) test-contract
	$(MAKE) test-podman

.PHONY: test-pictures
test-pictures: dev ## Every screen of the terminal UI in every state against its picture; UPDATE=1 accepts what is there
	$(DEV)/bin/python -m pytest -n 2 $(SCREEN_TESTS) $(PICTURE_TESTS) $(if $(UPDATE),--snapshot-update) $(ARGS)

.PHONY: test-contract
test-contract: ## The contract tests alone: engines and runtimes
	$(MAKE) test-as-user TESTS="-n 2 $(CONTRACT_TESTS)"

.PHONY: test-store
test-store: ## The store's tests alone, on SQLite and PostgreSQL
	$(MAKE) test-as-user TESTS="-n 2 $(STORE_TESTS)"

.PHONY: test-podman
test-podman: ## The tests on real rootless podman alone
	$(MAKE) test-as-user TESTS="$(PODMAN_TESTS)"

.PHONY: test-host
test-host: dev ## The tests on a whole host: Debian 12 in an emulator, set up by the playbooks (30 to 40 minutes on two free cores)
	if [[ -z "$(ROOT)" ]]; then
	  command -v sudo > /dev/null || { $(NEED_ROOT); }
	  echo "==> The disk of the host is made as root: sudo does that"
	  $(SUDO_MAKE) test-host ARGS='$(ARGS)'
	  exit
	fi
	mkdir -p $(WORK)/host
	for program in qemu-system-x86_64 mmdebstrap mke2fs ssh setpriv; do
	  command -v $$program > /dev/null && continue
	  echo "==> Installing the emulator and what makes its disk"
	  $(PLAYBOOK) tests/host/packages.yml
	  break
	done
	env WSMGR_TEST_CACHE=$(WORK)/host PATH=$(DEV)/bin:$$PATH $(DEV)/bin/python -m pytest -v $(HOST_TESTS) $(ARGS)

.PHONY: bench
bench: ## Measure; prints ratios
	$(MAKE) test-as-user COMMAND="python $(BENCH)"

.PHONY: soak
soak: ## Ten minutes of random calls, people, authors and faults on real podman, then an audit; ARGS="--seed 7 --minutes 2"
	$(MAKE) test-as-user COMMAND="python $(SOAK)"

.PHONY: lock
lock: ## Write requirements.lock anew, from what the package registry has today
	scratch=$$(mktemp -d)
	trap 'rm -rf "$$scratch"' EXIT
	echo "==> Resolving in a fresh environment (about half a minute)"
	$(PYTHON) -m venv "$$scratch/venv"
	"$$scratch/venv/bin/pip" install -qq --disable-pip-version-check --upgrade pip
	"$$scratch/venv/bin/pip" install -qq --disable-pip-version-check --group dev \
	  --requirement <("$$scratch/venv/bin/python" -c "$$DECLARED") \
	  --requirement <("$$scratch/venv/bin/python" -c "$$DECLARED_BUILD")
	{
	  echo "# Every package of the program, its tests and its build, in the versions they are tested with; pip reads it"
	  echo "# as constraints. Written by 'make lock'."
	  "$$scratch/venv/bin/pip" freeze --disable-pip-version-check
	} > "$$scratch/lock"
	if grep -nE '@|://|^-' "$$scratch/lock"; then
	  echo "These lines name a place instead of a version; the lock is left as it was." >&2
	  exit 1
	fi
	cp "$$scratch/lock" requirements.lock
	echo "requirements.lock: $$(grep -c == requirements.lock) packages"

define DECLARED_BUILD
import pathlib, tomllib
print(*tomllib.loads(pathlib.Path("pyproject.toml").read_text())["build-system"]["requires"], sep="\n")
endef
export DECLARED_BUILD

# ---- parts of the above ------------------------------------------------------------------------------------------

.PHONY: up-system
up-system: dev
	now=$$($(call FINGERPRINT,$(PROGRAM)))
	if [[ -z "$(FORCE)" && -x /usr/local/bin/wsmgr && -d /run/wsmgr && $$(cat $(WORK)/up 2> /dev/null) == "$$now" ]]; then
	  echo "==> Host and program are as the last run left them"
	  echo "==> Workspace images: $$(/usr/local/bin/wsmgr image build)"
	  if [[ -d /run/systemd/system ]]; then
	    runuser -u wsmgr -- env XDG_RUNTIME_DIR=/run/user/$$(id -u wsmgr) systemctl --user start wsmgr.service
	  else
	    /usr/local/bin/wsmgr serve --detach
	  fi
	else
	  echo "==> Setting up this machine (playbooks/site.yml)"
	  mkdir -p $(WORK)
	  $(PLAYBOOK) playbooks/site.yml
	  echo "$$now" > $(WORK)/up
	fi
	$(MAKE) demo WSMGR=/usr/local/bin/wsmgr

.PHONY: up-user
up-user: dev
	now=$$($(call FINGERPRINT,$(PROGRAM)))
	if [[ $$(cat "$(USER_VENV)/.installed" 2> /dev/null) == "$$now" ]]; then
	  echo "==> The program is as the last run left it"
	else
	  echo "==> Installing the program into $(USER_VENV)"
	  [[ -x "$(USER_VENV)/bin/pip" ]] || $(PYTHON) -m venv "$(USER_VENV)"
	  wheel=$$(mktemp -d)
	  trap 'rm -rf "$$wheel"' EXIT
	  $(DEV)/bin/python -m pip wheel -qq --disable-pip-version-check --no-deps \
	    --build-constraint requirements.lock --wheel-dir "$$wheel" .
	  "$(USER_VENV)/bin/pip" install -qq --disable-pip-version-check --constraint requirements.lock "$$wheel"/*.whl
	  "$(USER_VENV)/bin/pip" install -qq --disable-pip-version-check --force-reinstall --no-deps "$$wheel"/*.whl
	  "$(USER_VENV)/bin/wsmgr" shutdown --keep
	  echo "$$now" > "$(USER_VENV)/.installed"
	fi
	echo "==> Workspace images: $$("$(USER_VENV)/bin/wsmgr" image build)"
	"$(USER_VENV)/bin/wsmgr" serve --detach
	$(MAKE) demo WSMGR="$(USER_VENV)/bin/wsmgr"

.PHONY: demo
demo: dev
	echo "==> Bundling the sample plugin from the public npm package it uses"
	PYTHONDONTWRITEBYTECODE=1 WSMGR_SAMPLE_CACHE=$(SAMPLES) $(DEV)/bin/python -m tests.samples.bundle markdown \
	  --out $(SAMPLES)/markdown.js
	echo "==> Running it in a workspace"
	"$(WSMGR)" demo $(SAMPLES)/markdown.js --input tests/samples/markdown/input.json

.PHONY: clean-system
clean-system:
	if compgen -G '/etc/wsmgr/made/*.json' > /dev/null; then
	  $(MAKE) dev
	  for record in /etc/wsmgr/made/*.json; do
	    user=$$(basename "$$record" .json)
	    echo "==> Removing what was made for the user $$user"
	    $(PLAYBOOK) playbooks/uninstall.yml --extra-vars \
	      '{"wsmgr_user": "'"$$user"'", "wsmgr_program": '"$$([[ $$user == wsmgr ]] && echo true || echo false)"'}'
	  done
	fi
	rm -rf $(WORK) $(TEST_HOME)/src
	if [[ -f $(DEV)/.wsmgr-stamp ]]; then rm -rf $(DEV); fi
	[[ ! -d /opt/wsmgr ]] || rmdir --ignore-fail-on-non-empty /opt/wsmgr

.PHONY: clean-user
clean-user:
	if [[ -x "$(USER_VENV)/bin/wsmgr" ]]; then
	  echo "==> Stopping the daemon and its workspaces"
	  "$(USER_VENV)/bin/wsmgr" shutdown
	  echo "==> Removing its containers, image, records and program"
	  if instance=$$(cat "$(HOME)/.local/state/wsmgr/instance" 2> /dev/null); then
	    podman ps --all --quiet --filter "label=wsmgr.instance=$$instance" | \
	      xargs --no-run-if-empty podman rm --force > /dev/null
	  fi
	  podman images --quiet --filter 'reference=localhost/wsmgr-*' | sort -u | \
	    xargs --no-run-if-empty podman rmi --force > /dev/null
	  rm -rf "$(HOME)/.local/state/wsmgr" "$(dir $(USER_VENV))"
	fi
	rm -rf .venv

# Runs TESTS (or COMMAND) as a user who is not root and whose podman is rootless: oneself, or for root a user of its own
# on a copy of the tree (a clone under /root cannot be read by anybody else).
.PHONY: test-as-user
test-as-user: dev
	if [[ -n "$(ROOT)" ]]; then
	  now=$$($(call FINGERPRINT,playbooks))
	  if [[ $$(cat $(WORK)/$(TEST_USER) 2> /dev/null) != "$$now" || ! -d $(TEST_HOME) || ! -d /run/$(TEST_USER) ]]; then
	    echo "==> Preparing the user $(TEST_USER) (playbooks/host.yml)"
	    mkdir -p $(WORK)
	    $(PLAYBOOK) --inventory playbooks/inventory/tests.yml --extra-vars wsmgr_user=$(TEST_USER) playbooks/host.yml
	    echo "$$now" > $(WORK)/$(TEST_USER)
	  fi
	  exec 9> $(WORK)/$(TEST_USER).lock
	  flock --nonblock 9 || { echo "==> Waiting: another test run uses $(TEST_USER)"; flock 9; }
	  echo "==> Copying the tree to $(TEST_HOME)/src"
	  rm -rf $(TEST_HOME)/src
	  install -d -o $(TEST_USER) -g $(TEST_USER) $(TEST_HOME)/src
	  git -c safe.directory='*' ls-files -z --cached --others --exclude-standard --deduplicate |
	    while IFS= read -r -d '' file; do [[ ! -e $$file && ! -L $$file ]] || printf '%s\0' "$$file"; done |
	    tar --create --null --no-recursion --files-from=- |
	    tar --extract --no-same-owner --directory $(TEST_HOME)/src
	  chown --recursive --no-dereference $(TEST_USER):$(TEST_USER) $(TEST_HOME)/src
	  cd $(TEST_HOME)/src
	  become=($(if $(WITH_DATA),unshare --mount --propagation private bash -euo pipefail -c "$$WITH_VOLUMES" \
	    $(CURDIR)/playbooks/roles/wsmgr/files/wsmgr-volumes $(VOLUMES) $(TEST_USER),runuser -u $(TEST_USER) --))
	  user=$(TEST_USER) home=$(TEST_HOME)
	  runtime=/run/$(TEST_USER)/user
	  [[ ! -d /run/systemd/system ]] || runtime=/run/user/$$(id -u $(TEST_USER))
	else
	  [[ $$(podman unshare cat /proc/self/uid_map 2> /dev/null | wc -l) -ge 2 ]] || { $(NEED_ROOT); }
	  become=()
	  user=$$(id -un) home=$$HOME
	  runtime=$${XDG_RUNTIME_DIR:-}
	fi
	passed=($${runtime:+"XDG_RUNTIME_DIR=$$runtime"} $(if $(WITH_DATA),"TEST_VOLUMES=$(VOLUMES)/volumes"))
	for name in $(PASSED); do [[ -z $${!name+set} ]] || passed+=("$$name=$${!name}"); done
	ignored=($(if $(ROOT),,--ignore=$(VOLUME_TESTS)))
	[[ -n "$(ROOT)" || -n "$(COMMAND)" ]] || echo "==> $(VOLUME_TESTS) is left out: only root can mount volumes"
	command=($(if $(COMMAND),$(COMMAND),python -m pytest $(TESTS) $${ignored[@]}) $(ARGS))
	echo "==> $${command[*]} (as $$user)"
	"$${become[@]}" env -i HOME="$$home" USER="$$user" LANG=C.UTF-8 PYTHONPATH="$$PWD" \
	  PATH=$(DEV)/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$${passed[@]}" "$${command[@]}" 9>&-

# Volumes in a mount namespace of the run's own, and then the run as the user: the machine's own mounts stay as they are.
define WITH_VOLUMES
rm -rf "$$1"
"$$0" make "$$1" "$$2" 64 4 > /dev/null
"$$0" mount "$$1" "$$2" > /dev/null
exec runuser -u "$$2" -- "$${@:3}"
endef
export WITH_VOLUMES
