# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree that `patchgen verify` can build in a second: only the files and targets that it uses."""

from __future__ import annotations

from pathlib import Path

MAKEFILE = """\
MAKEFLAGS += --no-builtin-rules
ifneq ($(wildcard $(CURDIR)/.config $(CURDIR)/include/config $(CURDIR)/include/generated),)
$(error The source tree is not clean, please run 'make ARCH=$(ARCH) mrproper')
endif
-include $(O)/include/config/auto.conf
FLAGS := -O2 -Wall -Wextra -fno-pie -I$(CURDIR)/include $(if $(CONFIG_PARAVIRT),-DCONFIG_PARAVIRT)
FLAGS += $(if $(filter i386,$(ARCH)),-m32,-m64 -mcmodel=kernel)

core-y := arch/$(SRCARCH)/ drivers/

x86_64_defconfig i386_defconfig allmodconfig:
	@echo "# Linux/$(ARCH) 6.12.0 Kernel Configuration" > $(O)/.config
olddefconfig:
	@mkdir -p $(O)/include/config && cp $(O)/.config $(O)/include/config/auto.conf
prepare:
	@$(CURDIR)/scripts/check.sh
	@gcc $(if $(filter 0,$(WERROR)),,-Werror) -Wall -c $(CURDIR)/tools/tool.c -o $(O)/tool.o
scripts:
	@mkdir -p $(O)/scripts/mod && cp $(CURDIR)/scripts/modpost.sh $(O)/scripts/mod/modpost
%.o: FORCE
	@echo "  CC      $@"
	@mkdir -p $(dir $(O)/$@)
	@$(CROSS_COMPILE)gcc $(FLAGS) -MMD -MF $(O)/$(dir $@).$(notdir $@).cmd \
		-c $(CURDIR)/$(@:.o=.c) -o $(O)/$@
.PHONY: FORCE prepare scripts olddefconfig
FORCE:
"""
# The parts of the kernel's script of this name that verify uses.
CONFIG = """\
#!/bin/bash
file=$2
shift 2
while [ $# -gt 0 ]; do
	sed -i "/CONFIG_$2=/d" "$file"
	[ "$1" != -e ] || echo "CONFIG_$2=y" >> "$file"
	shift 2
done
"""
KVM = """\
int kvm_init(void);

int kvm_init(void)
{
	return 0;
}
"""
FILES = {
    "Makefile": MAKEFILE,
    "scripts/config": CONFIG,
    "scripts/check.sh": "#!/bin/sh\nexit 0\n",
    "scripts/modpost.sh": "#!/bin/sh\nexit 0\n",
    "tools/tool.c": "int tool;\n",
    "arch/x86/Kbuild": "obj-y += kernel/\n",
    "arch/x86/kernel/Makefile": "obj-y += kvm.o\n",
    "arch/x86/kernel/kvm.c": KVM,
}


def write_buildable_tree(folder: Path) -> None:
    """Write the tree's files. Its scripts can be executed."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
