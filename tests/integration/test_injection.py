"""Outsiders' values in real shells: none of them runs a command, and harmless ones work as on GitHub."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pawl.core.diagnostics import Span
from pawl.core.expressions import Untrusted
from pawl.core.steps.scripts import Evaluated, Script, ScriptPart, build_script
from pawl.core.steps.shells import ShellKind

SHELLS = {
    "bash": (ShellKind.BASH, ["bash", "--noprofile", "--norc"]),
    "bash read as sh": (ShellKind.SH, ["bash", "--noprofile", "--norc"]),
    "dash": (ShellKind.SH, ["dash"]),
}

HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned;",
    "; touch pwned #",
    "& touch pwned &",
    "| touch pwned |",
    "&& touch pwned",
    "\ntouch pwned\n",
    "\rtouch pwned\r",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "'\"; touch pwned; \"'",
    "\"'$(touch pwned)'\"",
    "\\'; touch pwned; \\'",
    "\\",
    "'",
    '"',
    "}; touch pwned; {",
    "${x:-$(touch pwned)}",
    "\nEOF\ntouch pwned\ncat <<EOF\n",
    "\nEOF\ntouch pwned\n",
    "a[$(touch pwned)]",
    "a[$(touch pwned)]=1",
    "x=$(touch pwned)",
    "-v",
    "$((a[$(touch pwned)]))",
    "<(touch pwned)",
    ">pwned",
    ">(touch pwned)",
    "*) touch pwned ;;",
    ") touch pwned ;;",
    "); touch pwned; (",
    "#\ntouch pwned",
    "!touch pwned",
    "${IFS}touch${IFS}pwned",
    "$'\\'; touch pwned; \\''",
    "%s\n$(touch pwned)",
    "PWD=x touch pwned",
    "touch pwned",
    "./pwn.sh",
    "eval touch pwned",
    "~",
    "*",
    "-e s/x/touch pwned/e",
    "]]; touch pwned; [[ x",
    "] || touch pwned; [ x",
    "done; touch pwned; for x in a",
]

HARMLESS = ["word", "main", "v1.2.3", "feature/x-1", "a_b", "1234", "user@example.org", "é"]

# Scripts with `@@` where a value stands; all of them must be accepted.
ACCEPTED = [
    "echo @@",
    "echo a-@@-b",
    "echo @@@@",
    "echo --x=@@ y",
    'echo "title: @@"',
    'echo "a @@ b @@ c"',
    "echo 'title: @@'",
    "echo 'it is' '@@' x",
    "echo \"$(echo '@@')\"",
    'echo "$(echo "@@")"',
    'echo "$(echo @@ | tr a-z A-Z)"',
    "echo $(echo a @@ b)",
    'X="@@"; echo "$X"',
    'X=@@; echo "$X"',
    "X='@@' Y=1; echo \"$X\"",
    'export X=@@; echo "$X"',
    'export X="@@" Y=2; echo "$X$Y"',
    'X=$(echo @@); echo "$X"',
    "cat <<EOF\nvalue: @@\nEOF\necho end",
    "cat <<-EOF\n\tvalue: '@@' \"@@\"\n\tEOF\necho end",
    'cat <<EOF\n$(echo "@@")\nEOF',
    "cat <<EOF | tr a-z A-Z\n@@\nEOF\n",
    "cat <<A <<B\nx @@\nA\ny @@\nB\n",
    'if [ "@@" = main ]; then echo yes; else echo no; fi',
    'if [ -n "@@" ]; then echo yes; fi',
    "if [ @@ = 'main' ] || [ @@ != x ]; then echo yes; fi",
    "if test main = '@@'; then echo yes; fi",
    'case "@@" in\n  main) echo m ;;\n  v*) echo v ;;\n  *) echo other ;;\nesac',
    'for x in a @@ b; do echo "<$x>"; done',
    "for x in '@@'; do\n  echo \"$x\"\ndone",
    "echo one # @@\necho two",
    "# @@\necho two",
    "echo @@ > out.txt; cat out.txt",
    "echo a | grep -c -- '@@' || true",
    "printf '%s\\n' \"@@\"",
    "printf 'x @@ %s\\n' y || true",
    'f() { echo "got $1"; }; f @@',
    "{ echo @@; } | cat",
    'N=@@; if [ "$N" = 5 ]; then echo five; fi; echo ${N#v} ${#N}',
    "$SUDO echo a @@",
    "(echo @@; echo b) | cat",
    "echo ${UNSET:-@@}",
    'echo "${UNSET:-@@}"',
    "echo ${UNSET-'@@'}",
    "true && echo @@ || echo b",
    "! echo @@ | grep -q zzz",
    'while read -r line; do echo "$line"; done <<EOF\n@@\nEOF',
    "env X=@@ sh -c 'echo \"$X\"'",
    "sh ./show.sh @@",
    "time -p true; echo @@",
    "echo 'a'\\''@@'\\''b'",
    "echo \\\n  @@ \\\n  b",
    'echo "a\nb @@\nc"',
    "git log --format=%s -1 -- @@ 2>/dev/null || true",
]

ACCEPTED_BASH = [
    'if [[ "@@" == main ]]; then echo yes; else echo no; fi',
    "if [[ @@ == v* || @@ =~ ^main$ ]]; then echo yes; fi",
    'if [[ -n "@@" && "main" == @@ ]]; then echo yes; fi',
    "cat <<< @@",
    'tr a-z A-Z <<< "@@"',
    'a=(x @@ y); echo "${a[@]}"',
    "echo $'tab\\t@@\\n'",
    "cat <(echo @@)",
    "echo @@ &> out.txt; cat out.txt",
    "for ((i=0; i<2; i++)); do echo @@; done",
    "function f {\n  echo @@\n}\nf",
    "X=1; X+=@@; echo $X",
]

# Scripts in which no value may stand.
REFUSED = [
    "@@",
    "@@ foo",
    "./@@",
    '"@@" x',
    "X=1 @@",
    "true; @@",
    "true | @@",
    "if @@; then true; fi",
    "$(@@)",
    "$(echo @@) x",
    "echo `echo @@`",
    "echo \\@@",
    "echo $@@",
    'echo "\\@@"',
    'echo "$@@"',
    "@@=1",
    "a@@=1",
    "export @@",
    "export @@=1",
    "eval @@",
    "eval \"echo '@@'\"",
    'eval "$(echo @@)"',
    "sh -c 'echo @@'",
    'bash -c "echo @@"',
    'bash -ec "echo @@"',
    'sudo bash -c "echo @@"',
    'docker exec box sh -c "echo @@"',
    "ssh host echo @@",
    "xargs -I{} sh -c 'echo @@'",
    "echo @@ | sh",
    "echo @@ | sudo bash -",
    "echo '@@' | cat | bash",
    "{ echo @@; } | bash",
    "(echo a; echo @@) | sh",
    "f() { echo @@; }; f | bash",
    "for x in @@; do echo $x; done | sh",
    "echo @@ | { cat; sh; }",
    "echo @@ | (cd /; bash -s x)",
    "bash <<EOF\necho @@\nEOF",
    "sudo -u x sh <<EOF\necho @@\nEOF",
    "cat <<EOF | sh\necho @@\nEOF",
    "cat <<'EOF'\n@@\nEOF",
    'cat <<"EOF"\n@@\nEOF',
    "cat <<\\EOF\n@@\nEOF",
    "cat <<@@\nx\n",
    "cat <<EOF\n\\@@\nEOF",
    "cat <<EOF\n`echo @@`\nEOF",
    "echo $((@@ + 1))",
    'echo "$((x + @@))"',
    "echo ${x:@@}",
    "echo ${x#@@}",
    "echo ${@@}",
    'echo "${x:-"@@"}"',
    "python -c 'print(\"@@\")'",
    'python3 -c "print(1)" "@@"',
    "perl -pe 's/x/@@/' f",
    "node -e 'console.log(`@@`)'",
    "python <<EOF\nprint('@@')\nEOF",
    "sed -i 's/x/@@/' f",
    "awk '{print \"@@\"}' f",
    "make VERSION=@@",
    "read @@",
    "unset @@",
    "trap '@@' EXIT",
    "trap 'echo @@' EXIT",
    "alias x='@@'",
    "let x=@@",
    ". @@",
    "source @@",
    "[ -v @@ ]",
    "[ @@ @@ ]",
    "test @@ x",
    "printf @@ x",
    "printf -v @@ x",
    'printf "@@" @@',
    "set @@",
    "exec @@",
    "command @@",
    "env @@",
    "env -u X @@",
    "sudo @@",
    "sudo -u root @@",
    "timeout 5 @@",
    "time @@",
    "time -p @@",
    "nohup @@ &",
    "2>err @@",
    "> out @@",
    "find . -exec @@ ;",
    "docker run @@",
    "PATH=@@ ls",
    "export PATH=@@",
    "LD_PRELOAD='@@' ls",
    "for @@ in a; do true; done",
    "case x in @@) echo a;; esac; @@",
    "cat 2>&@@",
    "$SHELL -c 'echo @@'",
    '"$SHELL" -c "echo @@"',
    "echo 'not closed @@",
    'echo "not closed @@',
    "echo $(not closed @@",
    "$CMD @@",
    "$CMD run @@",
    "$x$(true)eval @@",
    "$1eval @@",
    "X=@@; $X",
    'X="@@"; eval "$X"',
    "X=@@; echo $((X + 1))",
    'X=@@; sh -c "echo $X"',
    'X=@@; echo "$X" | sh',
    "export X=@@; sh <<EOF\n$X\nEOF",
    "for x in @@; do $x; done",
    "read -r X <<EOF\n@@\nEOF\neval $X",
    "declare -i n=@@",
    "readonly -a x=@@",
    "local -n x=@@",
]

REFUSED_BASH = [
    "(( @@ ))",
    "((x = @@))",
    "for ((i=@@; i<2; i++)); do true; done",
    "[[ @@ -eq 1 ]]",
    "N=@@; [[ $N -gt 1 ]]",
    "N=@@; [[ N -gt 1 ]]",
    "N=@@; ((N > 1))",
    "N=@@; echo ${a[N]} ${x:N}",
    'X=@@; bash <<< "$X"',
    "[[ 1 -lt @@ ]]",
    "[[ -v @@ ]]",
    "[[ x && -v @@ ]]",
    "a[@@]=1",
    "a=([@@]=1)",
    "declare -A a=([@@]=1)",
    "declare -i n; n=@@",
    "declare -n r=@@",
    "echo ${a[@@]}",
    "echo ${a:@@:1}",
    "echo ${x/@@/y}",
    "echo $[@@]",
    "bash <<< @@",
    "bash <(echo @@)",
    "bash < <(echo @@)",
    "source <(echo '@@')",
    "echo @@ > >(bash)",
    "echo @@ | tee >(sh)",
    "exec > >(bash); echo @@",
    "mapfile @@ < f",
    "coproc @@",
    "function @@ { true; }",
    "function f { @@; }",
    "echo $'\\@@'",
    "function f() { echo @@; }; f | bash",
]


# The script's text does not depend on the value, so a few values do for the other templates.
FULLY_TRIED = {ACCEPTED[0], ACCEPTED[5], ACCEPTED[7], ACCEPTED[18], ACCEPTED_BASH[0], ACCEPTED_BASH[6]}


def parts_of(template: str, value: str, *, trusted: bool = False) -> list[ScriptPart]:
    parts: list[ScriptPart] = []
    for number, text in enumerate(template.split("@@")):
        if number:
            evaluated = value if trusted else Untrusted(value)
            parts.append(Evaluated(value=evaluated, source="github.head_ref", span=Span.at(1, 1)))
        if text:
            parts.append(text)
    return parts


def run(argv: list[str], script: Script, folder: Path) -> tuple[int, str]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "show.sh").write_text('echo "shown: $1"\n')
    (folder / "pwn.sh").write_text("#!/bin/sh\ntouch pwned\n")
    (folder / "pwn.sh").chmod(0o755)
    (folder / "step.sh").write_text(script.text, encoding="utf-8", newline="")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **script.env}
    done = subprocess.run(
        [*argv, "step.sh"],
        cwd=folder,
        env=env,
        capture_output=True,
        check=False,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def cases() -> list[tuple[str, str]]:
    both = [(name, template) for name in SHELLS for template in ACCEPTED]
    return both + [("bash", template) for template in ACCEPTED_BASH]


@pytest.mark.parametrize(("shell", "template"), cases())
def test_no_hostile_value_runs_a_command(shell: str, template: str, tmp_path: Path) -> None:
    kind, argv = SHELLS[shell]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    for value in HOSTILE if template in FULLY_TRIED else HOSTILE[:: len(HOSTILE) // 10]:
        script = build_script(parts_of(template, value), kind)
        assert not script.diagnostics, script.diagnostics[0].message
        run(argv, script, tmp_path / "work")
        assert not (tmp_path / "work" / "pwned").exists(), value


@pytest.mark.parametrize(("shell", "template"), cases())
def test_a_harmless_value_works_as_when_spliced(shell: str, template: str, tmp_path: Path) -> None:
    kind, argv = SHELLS[shell]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    for value in HARMLESS if template in FULLY_TRIED else HARMLESS[1:3]:
        hoisted = run(argv, build_script(parts_of(template, value), kind), tmp_path / "work")
        spliced = run(argv, build_script(parts_of(template, value, trusted=True), kind), tmp_path / "work")
        assert hoisted == spliced, value


@pytest.mark.parametrize("kind", [ShellKind.BASH, ShellKind.SH])
@pytest.mark.parametrize("template", [template for template in REFUSED + REFUSED_BASH if "@@" in template])
def test_a_place_that_takes_no_reference_is_refused(template: str, kind: ShellKind) -> None:
    script = build_script(parts_of(template, "x"), kind)

    assert {found.code for found in script.diagnostics} == {"untrusted-in-script"}
