"""The form a passport must have, so that what is wrong with one is said in a sentence."""

from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from ..errors import DataError


@lru_cache(maxsize=1)
def _form() -> Any:
    import pydantic
    from pydantic import BaseModel

    class Reference(BaseModel):
        resource: str
        fields: str

    class ForeignKey(BaseModel):
        fields: str
        reference: Reference

    class Constraints(BaseModel):
        enum: list[Any] = []
        pattern: str = ""
        required: bool = False

    class Field(BaseModel):
        name: str
        type: str
        description: str = ""
        unit: str = ""
        constraints: Constraints = Constraints()

    class Schema(BaseModel):
        fields: Annotated[list[Field], pydantic.Field(min_length=1)]
        primaryKey: str | list[str] = []  # noqa: N815
        foreignKeys: list[ForeignKey] = []  # noqa: N815

    class Release(BaseModel):
        where: dict[str, list[Any]] = {}
        source_published: bool = False
        released: Annotated[str, pydantic.AfterValidator(date.fromisoformat)] = ""
        months_after: int = pydantic.Field(0, ge=0, le=120)
        day: int = pydantic.Field(1, ge=1, le=31)

    class Vintage(BaseModel):
        until: str
        hash: str

    class Own(BaseModel):
        traps: list[str] = []
        available_from: list[Release] = []
        checks: list[dict[str, Any]] = []
        vintages: list[Vintage] = []

    class Resource(BaseModel):
        name: str
        path: str
        title: str = ""
        description: str = ""
        hash: str = ""
        bytes: int | None = None
        rows: int | None = None
        form: Schema
        sources: list[dict[str, str]] = []
        licenses: list[dict[str, str]] = []
        kbio: Own = Own()

    return pydantic.TypeAdapter(Resource)


def check_form(resource: Any, number: int, file: str) -> None:
    """Raises DataError naming the table and the part of its passport that has another form than it must."""
    from pydantic import ValidationError

    given = resource | {"form": resource.get("schema")} if isinstance(resource, dict) else resource
    name = (given.get("name") if isinstance(given, dict) else None) or f"resource {number}"
    try:
        _form().validate_python(given, strict=True)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]).replace("form.", "schema.", 1)
        raise DataError(f"{file}: the passport of {name}, {where}: {first['msg'].lower()}") from None
    schema, rules = resource["schema"], resource.get("kbio", {}).get("available_from", [])
    key = schema.get("primaryKey", [])
    named = dict.fromkeys((c for rule in rules for c in rule.get("where", {})), "a release rule")
    named |= dict.fromkeys([key] if isinstance(key, str) else key, "a key")
    named |= dict.fromkeys((k["fields"] for k in schema.get("foreignKeys", [])), "a key")
    if unknown := [column for column in named if column not in [field["name"] for field in schema["fields"]]]:
        message = f"{file}: the passport of {name} has no field {unknown[0]!r}"
        raise DataError(f"{message}, which {named[unknown[0]]} names")
    dated = {"year", "month"} & {field["name"] for field in schema["fields"]}
    for rule in rules:
        lag = {"months_after", "day"} <= rule.keys() and dated
        if not (rule.get("source_published") or rule.get("released") or lag):
            said = "a rule of available_from says source_published, released, or both months_after and day"
            raise DataError(f"{file}: the passport of {name}: {said}, counted from the row's year or month")
