"""The program and the image of holders, byte by byte."""

from __future__ import annotations

import io
import json
import tarfile

from pawl.adapters.executor_docker.holder_image import NAME, PROGRAM, image_archive, is_ours, program


def test_the_program_is_an_executable_for_this_kind_of_machine() -> None:
    code = program()
    assert code[:8] == b"\x7fELF\x02\x01\x01\x00"
    kind, machine = int.from_bytes(code[16:18], "little"), int.from_bytes(code[18:20], "little")
    assert (kind, machine) == (2, 62)
    entry, base = int.from_bytes(code[24:32], "little"), int.from_bytes(code[80:88], "little")
    # xor eax,eax; mov al,34; syscall; jmp: `pause`, for ever.
    assert code[entry - base :] == bytes.fromhex("31c0b0220f05ebf8")
    assert int.from_bytes(code[96:104], "little") == len(code)


def test_the_image_holds_the_program_and_nothing_else() -> None:
    with tarfile.open(fileobj=io.BytesIO(image_archive())) as archive:
        files = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        read = {name: file.read() for name, file in files.items() if file is not None}
    (manifest,) = json.loads(read["manifest.json"])
    assert manifest["RepoTags"] == [NAME]
    config = json.loads(read[manifest["Config"]])
    assert config["config"]["Entrypoint"] == [PROGRAM]
    with tarfile.open(fileobj=io.BytesIO(read["layer.tar"])) as layer:
        (member,) = layer.getmembers()
        assert (f"/{member.name}", member.mode, member.uid) == (PROGRAM, 0o555, 0)
    assert image_archive() == image_archive()
    assert is_ours({"RootFS": config["rootfs"] | {"Layers": config["rootfs"]["diff_ids"]}})


def test_another_image_is_not_ours() -> None:
    assert not is_ours({"RootFS": {"Layers": ["sha256:0"]}})
    assert not is_ours({})
