from __future__ import annotations

from pawl.cli.misspelt import misspelt_variables


def test_a_misspelt_variable_is_told_with_the_one_meant() -> None:
    assert list(misspelt_variables(["PAWL_EXECUTER", "PAWL_JBOS", "pawl_jobs"])) == [
        "PAWL_EXECUTER is not read by Pawl: did you mean PAWL_EXECUTOR?",
        "PAWL_JBOS is not read by Pawl: did you mean PAWL_JOBS?",
        "pawl_jobs is not read by Pawl: did you mean PAWL_JOBS?",
    ]


def test_known_variables_and_those_of_other_tools_are_let_be() -> None:
    known = ["PAWL_JOBS", "PAWL_DEBUG", "PAWL_CONFIG"]
    others = ["PAWL_CONFORMANCE", "PAWL_CORPUS", "PAWL_ENGINE_HOME", "PAWL_IMAGE_CACHE", "PATH", "PAWL_"]
    assert list(misspelt_variables([*known, *others])) == []


def test_variables_of_the_server_are_known() -> None:
    assert list(misspelt_variables(["PAWL_SERVER_PORT", "PAWL_SERVER", "PAWL_DATA"])) == []
    assert list(misspelt_variables(["PAWL_SERVER_PROT"])) == [
        "PAWL_SERVER_PROT is not read by Pawl: did you mean PAWL_SERVER_PORT?"
    ]
