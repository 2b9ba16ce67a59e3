"""Where an outsider's value is dangerous although it is quoted: commands that read words as code.

A quoted `"$VALUE"` is one word to the shell, but not everything a word can do is harmless: `eval` and
`sh -c` read it as a script, bash evaluates `$(...)` inside array subscripts and arithmetic, a word in
the place of a command's name is run. Whatever is not known to be harmless is refused. Source: bash(1),
dash(1), and the source of each trick named in docs/explanation/injection.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pawl.core.steps.shell_tokens import DYNAMIC, Command, Slot, Word

_CODE_BUILTINS = frozenset(
    {
        ".", "alias", "bind", "compgen", "complete", "coproc", "enable", "eval", "fc", "function", "getopts",
        "let", "mapfile", "read", "readarray", "source", "trap", "unset", "wait",
    }
)  # fmt: skip
"""Builtins whose arguments are code, or names in which bash evaluates subscripts."""

_CODE_PROGRAMS = frozenset(
    {
        "at", "awk", "batch", "crontab", "dc", "ed", "entr", "env-S", "expect", "ex", "gawk", "gdb", "gmake",
        "gsed", "m4", "make", "mawk", "nawk", "parallel", "red", "rsh", "runuser", "screen", "script", "sed",
        "ssh", "sshpass", "su", "tmux", "vi", "vim", "watch", "xargs",
    }
)  # fmt: skip
"""Programs with a script among their arguments, or that hand their arguments to a shell."""

_SHELLS = frozenset(
    {
        "ash",
        "bash",
        "busybox",
        "cmd",
        "csh",
        "dash",
        "fish",
        "ksh",
        "mksh",
        "powershell",
        "pwsh",
        "sh",
        "tcsh",
        "zsh",
    }
)
_LANGUAGES = re.compile(
    r"(?:bun|deno|elixir|erl|ghci|groovy|irb|jruby|julia|lua|luajit|node|nodejs|osascript|perl|php|pypy"
    r"|python|r|rscript|ruby|scala|tclsh|wish)[0-9.]*"
)
_SHELL_CODE = re.compile(
    r"[-+][A-Za-z]*c[A-Za-z]*|--?(?:command|encodedcommand|init-file|rcfile)\b.*|/[cCkK]"
)
_LANGUAGE_CODE = re.compile(
    r"-[A-Za-z0-9]*[cCeEnprR].*|--?(?:command|eval|exec|print|run|code|require|import)\b.*"
)
_STDIN_READERS = frozenset(
    {
        "ssh",
        "rsh",
        "su",
        "runuser",
        "at",
        "batch",
        "sshpass",
        "parallel",
        "expect",
        "ed",
        "ex",
        "gdb",
        "m4",
        "dc",
    }
)

_PLAIN = frozenset(
    {
        "basename", "cat", "cd", "cp", "curl", "cut", "date", "dirname", "echo", "false", "gh", "git", "grep",
        "head", "jq", "ls", "mkdir", "mv", "realpath", "rm", "sort", "tail", "tee", "touch", "tr", "true",
        "uniq", "wc", "wget", "yq", "for", "select", "case", "exit", "return", "shift", ":",
    }
)  # fmt: skip
"""Commands whose arguments are never commands, even where one reads `bash`."""

_WRAPPERS = {
    "builtin": 1, "chroot": 2, "command": 1, "doas": 1, "env": 1, "exec": 1, "flock": 2, "gosu": 2,
    "ionice": 1, "nice": 1, "nohup": 1, "setsid": 1, "stdbuf": 1, "strace": 1, "sudo": 1, "time": 1,
    "timeout": 2, "unshare": 1, "npx": 1, "xvfb-run": 1, "unbuffer": 1, "retry": 1,
}  # fmt: skip
"""Commands that run another one: so many words (and one more per option) must come before a value."""

_GIT_RUNNERS = frozenset({"bisect", "filter-branch", "foreach", "rebase", "difftool", "mergetool"})
_RUNNERS = frozenset({"-exec", "-execdir", "-ok", "-okdir", "exec", "run", "--exec", "-x", "--cmd", "do"})

_DECLARATIONS = frozenset({"declare", "export", "local", "readonly", "typeset"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z_0-9]*\+?=")
_SAFE_DECLARATION_OPTION = re.compile(r"-[grx]+")
_INTEGER_VARIABLE = re.compile(r"\b(?:declare|typeset|local|readonly|export)\b[^\n;|&]*\s[-+][A-Za-z]*[in]")
_CONTROLLING = re.compile(
    r"(?:PATH|IFS|ENV|BASH_ENV|BASH_FUNC.*|SHELLOPTS|BASHOPTS|PS[0-4]|PROMPT_COMMAND|HOME|LD_.*|DYLD_.*"
    r"|GIT_.*|EDITOR|VISUAL|PAGER|SHELL|.*_OPTIONS|.*OPTS?|.*OPT|PYTHON[A-Z]+|PERL5.*|RUBY.*|NODE_.*"
    r"|MAKEFLAGS|LESSOPEN|CDPATH|GLOBIGNORE|OPTIND|SECONDS|RANDOM|LINENO|HISTCMD)\+?="
)
"""Variables that decide what runs, or (the last ones) that bash evaluates as arithmetic."""

_BINARY = frozenset({"=", "==", "!=", "<", ">"})
_NUMERIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"})
_UNARY = re.compile(r"-[abcdefghkLnprsSuwxzGNO]")
_UNSURE = re.compile(r"^-$|^/dev/|[\x01*?\[]")  # an operand that may stand for the input, or for nothing
_BOUNDARY = frozenset({"&&", "||", "!", "(", ")", "-a", "-o", ""})

COMMAND_NAME = "where the name of a command stands"


def judge(command: Command, *, integers: bool) -> None:
    """Refuse the slots of `command` whose values it could take for code.

    Args:
        command: one command of the script.
        integers: the script declares variables whose assignment bash evaluates as arithmetic.
    """
    for word in command.assignments:
        _judge_assignment(word, integers=integers)
    if not command.words or not any(True for _ in command.slots()):
        return
    name = command.words[0]
    _refuse(name.slots, COMMAND_NAME)
    if not name.is_literal:
        _judge_without_expansions(command)
    base = _base(name)
    if base in _CODE_BUILTINS:
        _refuse(command.slots(), f"in the arguments of `{base}`, which reads them as code")
    elif base in _DECLARATIONS:
        _judge_declaration(command.words, integers=integers)
    elif base in ("[", "test"):
        judge_test(command.words[1:], numeric=True)
    elif base == "printf":
        _judge_printf(command.words)
    elif base == "set" and not any(word.text == "--" for word in command.words):
        _refuse(command.argument_slots(), "among the options of `set`")
    elif base not in _PLAIN or (base == "git" and any(word.text in _GIT_RUNNERS for word in command.words)):
        _judge_program(command, base)


def _judge_without_expansions(command: Command) -> None:
    """Judge a command whose name is not known also as what is left when the expansions are empty."""
    rest = command.words[0].text.replace(DYNAMIC, "")
    words = [Word(text=rest, source=rest), *command.words[1:]] if rest else command.words[1:]
    judge(Command(words=words, fed=command.fed), integers=False)


def judge_test(words: Sequence[Word], *, numeric: bool) -> None:
    """Refuse slots in a test except as an operand of an operator that compares or asks about files.

    `numeric` allows `-eq` and its kin: `[` reads plain numbers, `[[` evaluates arithmetic.
    """
    texts = ["", *("x" if word.slots else word.text for word in words), ""]
    if texts[-2] in ("]", "]]"):
        texts[-2:] = [""]
    comparing = _BINARY | (_NUMERIC if numeric else frozenset({"=~", "-nt", "-ot", "-ef"}))
    for number, word in enumerate(words, start=1):
        if not word.slots:
            continue
        before, after = texts[number - 1], texts[number + 1] if number + 1 < len(texts) else ""
        compared = before in comparing or after in comparing
        asked = _UNARY.fullmatch(before) is not None
        alone = before in _BOUNDARY and after in _BOUNDARY
        if not (compared or asked or alone):
            _refuse(word.slots, "in a test where it could be an operator or is evaluated as arithmetic")


def judge_chain(commands: Sequence[Command]) -> list[Slot]:
    """Refuse slots whose values flow into a command that reads its input as code.

    Returns the slots whose values flow into a compound command, of which only the caller can tell.
    """
    doubtful: list[Slot] = []
    for number, command in enumerate(commands):
        slots = list(command.slots()) + [slot for word in command.assignments for slot in word.slots]
        for later in commands[number + 1 :]:
            if reads_code(later):
                _refuse(slots, f"in what is piped into `{_base(later.words[0])}`, which runs it")
            if later.is_compound:
                doubtful += slots
        if command.fed and reads_code(command):
            _refuse(command.fed, f"in the input of `{_base(command.words[0])}`, which runs it")
        if command.is_compound:
            doubtful += command.fed
    return doubtful


def reads_code(command: Command) -> bool:
    """Return whether `command` runs, or may run, what comes in as its input."""
    bases = [_base(word) for word in command.words]
    if not bases:
        return False
    if bases[0] in ("source", ".", "eval") or bases[0] in _STDIN_READERS:
        return True
    if bases[0] in _PLAIN - {"git"}:
        return False
    for number, base in enumerate(bases):
        if base in _STDIN_READERS:
            return True
        if _is_interpreter(base) or (number == 0 and not command.words[0].is_literal):
            rest = [word.text for word in command.words[number + 1 :]]
            operands = [text for text in rest if not text.startswith("-") or text == "-"]
            if "xargs" in bases[:number] or "-s" in rest or not operands or _UNSURE.search(operands[0]):
                return True
    return False


def runs_words(command: Command) -> bool:
    """Return whether `command` may run one of its words as code."""
    bases = [_base(word) for word in command.words]
    return bases[0] in _CODE_BUILTINS - {"read", "readarray", "mapfile", "wait"} or any(
        base in _CODE_PROGRAMS or _is_interpreter(base) for base in bases
    )


def _base(word: Word) -> str:
    return word.text.rpartition("/")[2].lower() if word.is_literal else ""


def _is_interpreter(base: str) -> bool:
    return base in _SHELLS or _LANGUAGES.fullmatch(base) is not None


def _refuse(slots: Iterable[Slot], reason: str) -> None:
    for slot in slots:
        slot.refuse(reason)


def _judge_assignment(word: Word, *, integers: bool) -> None:
    if not word.slots:
        return
    if _ASSIGNMENT.match(word.text) is None:
        _refuse(word.slots, "in the name or subscript of a variable")
    elif _CONTROLLING.match(word.text) is not None:
        _refuse(word.slots, f"in `{word.text.partition('=')[0]}`, which decides what runs")
    elif integers:
        _refuse(word.slots, "in an assignment, where variables are declared as integers or references")


def _judge_declaration(words: Sequence[Word], *, integers: bool) -> None:
    options_safe = all(
        _SAFE_DECLARATION_OPTION.fullmatch(word.text)
        for word in words[1:]
        if word.text.startswith(("-", "+")) or word.starts_with_slot
    )
    for word in words[1:]:
        if word.slots and not options_safe:
            _refuse(word.slots, "in a declaration with options, which can evaluate it")
        _judge_assignment(word, integers=integers)


def _judge_printf(words: Sequence[Word]) -> None:
    format_word = next((word for word in words[1:] if word.text != "--"), None)
    if any(word.text.startswith("-v") for word in words[1:2]) or (
        format_word is not None and format_word.starts_with_slot
    ):
        for word in words[1:]:
            _refuse(word.slots, "in the format of `printf` or beside its `-v`")


def _judge_program(command: Command, base: str) -> None:
    if base in _WRAPPERS:
        _judge_wrapped(command.words, _WRAPPERS[base])
    _judge_runners(command.words)
    seen_dynamic = not command.words[0].is_literal
    for number, word in enumerate(command.words):
        inner = _base(word)
        after = command.words[number + 1 :]
        if inner in _CODE_PROGRAMS or (number and inner in ("eval", "source")):
            for later in after:
                _refuse(later.slots, f"in the arguments of `{inner}`, which can run them")
        elif _is_interpreter(inner) or (number == 0 and seen_dynamic):
            _judge_interpreted(after, inner)


def _judge_runners(words: Sequence[Word]) -> None:
    """Refuse slots right behind a word such as `-exec` or `run`, where a command is expected."""
    for before, word in pairwise(words):
        if before.text in _RUNNERS:
            _refuse(word.slots, COMMAND_NAME)


def _judge_wrapped(words: Sequence[Word], needed: int) -> None:
    passed = 0
    sets_variables = _base(words[0]) in ("env", "sudo", "doas")
    for word in words[1:]:
        if sets_variables and passed == 0 and _ASSIGNMENT.match(word.text):
            _judge_assignment(word, integers=False)
            continue
        if passed < needed:
            _refuse(word.slots, COMMAND_NAME)
        if word.text.startswith(("-", "+")):
            needed += 1  # it may have a value of its own
        elif not word.slots:
            passed += 1


def _judge_interpreted(words: Sequence[Word], name: str) -> None:
    """Refuse slots after an interpreter's name when they may be its code or its script."""
    option = _LANGUAGE_CODE if _LANGUAGES.fullmatch(name) else _SHELL_CODE
    has_script = False
    code = False
    for word in words:
        if not has_script and option.fullmatch(word.text):
            code = True
        if word.slots and (code or (name and not has_script)):
            _refuse(
                word.slots,
                f"in the arguments of `{name or 'a command that is not known'}`, which can run them",
            )
        if not word.text.startswith("-") and word.is_literal:
            has_script = True


def declares_integers(script: str) -> bool:
    """Return whether some variable of the script may be an integer or a reference to another."""
    return _INTEGER_VARIABLE.search(script) is not None
