# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of pvops on the toy tree: a second run of every rule that adds something is refused."""

from __future__ import annotations


def test_each_rule_fires_as_declared_and_the_result_has_each_addition_once(toy, pvops_on, git):
    branch = pvops_on()["branch"]
    for text, path, count in (
        ("(*notify_page_enc_status_changed)(", "arch/x86/include/asm/paravirt_types.h", 1),
        ("notify_page_enc_status_changed(unsigned long pfn", "arch/x86/include/asm/paravirt.h", 2),
        (".mmu.notify_page_enc_status_changed = paravirt_nop", "arch/x86/kernel/paravirt.c", 1),
        ("notify_range_enc_status_changed(", "arch/x86/mm/pat/set_memory.c", 2),
        ("early_set_memory_and_notify(", "arch/x86/mm/mem_encrypt.c", 3),
        ('asm volatile("vmmcall"', "arch/x86/include/asm/kvm_para.h", 1),
        ("kvm_sev_init_platform(", "arch/x86/kernel/kvm.c", 2),
    ):
        assert git(toy, "show", f"{branch}:{path}").count(text) == count, text
        assert "patchgen:" not in git(toy, "show", f"{branch}:{path}")


def test_notifies_only_after_success(toy, pvops_on, git):
    pvops_on()
    source = git(toy, "show", "patchgen/pvops-v4:arch/x86/mm/pat/set_memory.c")
    body = source[source.index("static int __set_memory_enc_dec") :]
    assert body.index("cpa_flush(&cpa, 0);") < body.index("if (!ret)")
    assert body.index("if (!ret)") < body.index("notify_range_enc_status_changed(")
    assert body.index("notify_range_enc_status_changed(") < body.index("return ret;")


def test_on_later_kernels_the_platform_hook_notifies(patchgen, toy, git):
    """As from v5.19 on: x86_platform.guest.enc_status_change_finish() runs after a success."""
    init = toy / "arch/x86/include/asm/x86_init.h"
    init.write_text("struct x86_guest {\n\tbool (*enc_status_change_finish)(void);\n};\n")
    (toy / "arch/x86/mm/mem_encrypt.c").rename(toy / "arch/x86/mm/mem_encrypt_amd.c")
    with (toy / "arch/x86/mm/mem_encrypt_amd.c").open("a") as source:
        source.write(
            "\nstatic bool my_finish(unsigned long addr, int count, bool enc)\n{\n"
            "\tif (enc)\n\t\tvalidate(addr, count);\n\n\treturn true;\n}\n\n"
            "void __init my_init(void)\n{\n"
            "\tx86_platform.guest.enc_status_change_finish = my_finish;\n}\n"
        )
    header = toy / "arch/x86/include/asm/mem_encrypt.h"
    header.write_text(header.read_text().replace("sev_active", "other_active"))
    git(toy, "add", "-A")
    git(toy, "commit", "-q", "-m", "later")
    done = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert done.code == 0, done.err
    amd = git(toy, "show", "patchgen/pvops-v4:arch/x86/mm/mem_encrypt_amd.c")
    assert (
        "\tnotify_range_enc_status_changed(addr, count * PAGE_SIZE, enc);\n\n\treturn true;\n"
        in amd
    )
    later = git(toy, "show", "patchgen/pvops-v4:arch/x86/mm/pat/set_memory.c")
    body = later[later.index("static int __set_memory_enc_dec") :]
    assert "notify" not in body[: body.index("\n}\n")]
    kvm = git(toy, "show", "patchgen/pvops-v4:arch/x86/kernel/kvm.c")
    assert "#include <linux/cc_platform.h>" in kvm
    assert (
        "\tif (!IS_ENABLED(CONFIG_AMD_MEM_ENCRYPT) ||\n"
        "\t    !cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))\n\t\treturn;\n"
    ) in kvm
