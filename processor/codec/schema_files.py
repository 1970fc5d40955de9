"""Where schemas lie: those shipped with the program, and a deployment's own folder beside them.

A folder holds `objects/` (one file an object), `generated/` (corrections, for readers in other languages) and
`archive/` (every schema ever released, by fingerprint). The records of the topics themselves are always the shipped
ones; an object is taken from the deployment's folder where it has one.
"""

from collections.abc import Iterator
from pathlib import Path

from processor.codec.correction_schema import correction_schema
from processor.codec.schema_text import Schema, fingerprint_name, read_schema

RECORDS = (
    "ResyncRequest",
    "ResyncChunk",
    "Answer",
    "KeyOutcome",
    "RequestStatus",
    "ChunkStatus",
    "RequestEnd",
    "Cleared",
    "Clear",
    "Parked",
    "Order",
)


def shipped_schemas() -> Path:
    """`schemas/` of the installed package, or of the working tree."""
    package = Path(__file__).parents[1] / "schemas"
    return package if package.is_dir() else Path(__file__).parents[2] / "schemas"


class SchemaFiles:
    """The files of a deployment's folder and of the shipped one, in this order of precedence."""

    def __init__(self, folder: Path | None = None) -> None:
        shipped = shipped_schemas()
        same = folder is None or folder.resolve() == shipped.resolve()
        self.folders = (shipped,) if folder is None or same else (folder, shipped)

    def records(self) -> Iterator[Schema]:
        """The records of the topics, without corrections."""
        for name in RECORDS:
            yield read_schema(self.folders[-1] / f"{name}.avsc")

    def object(self, name: str) -> Schema:
        """Raises ValueError where no folder declares the object, or its file declares something else."""
        for folder in self.folders:
            path = folder / "objects" / f"{name}.avsc"
            if path.is_file():
                schema = read_schema(path)
                if schema["name"] != name:
                    raise ValueError(f"{path} declares {schema['name']}; the file must be named after its object")
                return schema
        places = " or ".join(str(folder / "objects") for folder in self.folders)
        raise ValueError(f"there is no {name}.avsc in {places}; every object of the catalog needs its schema")

    def correction(self, name: str) -> Schema:
        """Built from the object, so that a deployment's new object needs no generated file."""
        return self._correction(self.object(name))

    def unknown_correction(self, name: str) -> Schema:
        """As of an object without fields: whatever its values were, a reader passes over them."""
        return self._correction({"name": name, "fields": []})

    def _correction(self, schema: Schema) -> Schema:
        return correction_schema(schema, read_schema(self.folders[-1] / "Answer.avsc"))

    def archived(self, fingerprint: int) -> Schema | None:
        """The schema that some release wrote with, or None where no folder has it."""
        for folder in self.folders:
            path = folder / "archive" / f"{fingerprint_name(fingerprint)}.avsc"
            if path.is_file():
                return read_schema(path)
        return None
