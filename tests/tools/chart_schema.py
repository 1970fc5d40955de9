"""What the chart's values.schema.json takes from the settings: `make chart-schema` writes it there.

Which settings may be values is written by hand, as is all the rest.
"""

import json
from typing import Any

from processor.settings import RESERVED_KAFKA_OPTIONS, Settings, Topics
from tests.tools.chart import CHART

FILE = CHART / "values.schema.json"


def with_settings(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with each setting's type and range, each topic, and the options that the settings refuse."""
    made: dict[str, Any] = json.loads(json.dumps(schema))
    properties = made["properties"]
    kafka, settings = properties["kafka"]["properties"], properties["settings"]["properties"]
    known = Settings.model_json_schema()["properties"]
    settings.update({name: _type(known[name]) for name in settings})
    kafka["topics"]["properties"] = {name: {"$ref": "#/definitions/topic"} for name in Topics.model_fields}
    kafka["options"]["properties"] = dict.fromkeys(RESERVED_KAFKA_OPTIONS, False)
    return made


def _type(setting: dict[str, Any]) -> dict[str, Any]:
    """Without null, which a value that is left out stands for."""
    [branch] = [each for each in setting.get("anyOf", [setting]) if each["type"] != "null"]
    return {name: branch[name] for name in ("type", "minimum", "exclusiveMinimum", "maximum") if name in branch}


if __name__ == "__main__":
    written = with_settings(json.loads(FILE.read_text(encoding="utf-8")))
    FILE.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
