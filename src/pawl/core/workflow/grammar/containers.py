"""`container:` and `services:`. Source: GitHub docs, workflow syntax; actions/languageservices."""

from __future__ import annotations

from pawl.core.workflow.grammar.shapes import Definition, Key, MappingShape, any_keys, key, keys, one_of

_CONTAINER: dict[str, Key] = {
    "image": key("non-empty-string", "The image."),
    "options": key("string", "Options of `docker create`; only an allow-list is applied."),
    "env": key("container-env", "Variables of the container."),
    "ports": key("non-empty-strings", "Ports to publish."),
    "volumes": key("non-empty-strings", "Volumes to mount."),
    "credentials": key("container-credentials", "How to sign in to the registry."),
}

CONTAINERS: dict[str, Definition] = {
    "container": one_of("string", "container-mapping", scope="container"),
    "container-mapping": Definition(shape=MappingShape(keys=_CONTAINER)),
    "services": Definition(
        shape=MappingShape(other_key="non-empty-string", other_value="service"), scope="services"
    ),
    "service": one_of("non-empty-string", "service-mapping", scope="services-container"),
    "service-mapping": Definition(
        shape=MappingShape(
            keys={
                **_CONTAINER,
                "entrypoint": key("string", "Replaces the image's entry point."),
                "command": key("string", "Replaces the image's command."),
            }
        )
    ),
    "container-env": any_keys("string-runner-context"),
    "container-credentials": keys(
        "How to sign in to the registry.",
        "container-registry-credentials",
        username=key("non-empty-string", "The name."),
        password=key("non-empty-string", "The password or token; use a secret."),
    ),
}
