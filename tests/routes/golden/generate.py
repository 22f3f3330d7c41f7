"""Records what the reference service answers, as golden files beside this script.

Pinned: fastapi==0.104.1, pydantic==2.5.3, httpx<0.28, on Python 3.11 (see requirements.txt):

    python3.11 -m venv /tmp/prescore-reference-venv
    /tmp/prescore-reference-venv/bin/pip install -r requirements.txt
    /tmp/prescore-reference-venv/bin/python generate.py

The app below is the reference's HTTP surface rebuilt: a model of 16 optional fields, an upload that
answers with the task id, and two readers of a task. It keeps no task, so they answer 404 always.
"""

import base64
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel, create_model

# isort: split
from cases import Case, groups
from values import FIELD_NAMES

HERE = Path(__file__).parent
PINS = {"fastapi": "0.104.1", "pydantic": "2.5.3"}

FLOATS = {"monthprofit", "monthexpense", "loan_amount", "loan_term"}
INTEGERS = {"gender", "childcount", "snils", "merch_code"}


def field_type(name: str) -> type:
    """The annotation of a field in the reference's model."""
    if name in FLOATS:
        return float
    return int if name in INTEGERS else str


def build_app() -> FastAPI:
    """The reference's endpoints."""
    definitions: dict[str, Any] = {name: (field_type(name), None) for name in FIELD_NAMES}
    model: type[BaseModel] = create_model("FeaturesStructure", **definitions)
    app = FastAPI()

    def upload_features(features: BaseModel) -> dict[str, str | bool]:
        text = str(features.model_dump())
        return {
            "task_id": hashlib.sha1(text.encode()).hexdigest(),
            "is_complete": False,
        }

    # The model is made at run time, so the annotation cannot be written in the signature.
    upload_features.__annotations__["features"] = Annotated[model, Body()]
    app.post("/upload_features", status_code=201)(upload_features)

    @app.get("/check_task")
    @app.get("/get_result")
    def read_task(task_id: str) -> bool:
        raise HTTPException(404, "Task not found")

    return app


def body_bytes(case: Case) -> bytes:
    """The body as it is sent."""
    if isinstance(case.body, bytes):
        return case.body
    return "".join(text * times for text, times in case.body).encode()


def body_record(case: Case) -> dict[str, object]:
    """The body as it is stored: text where it is UTF-8, the parts where it is made of them."""
    if not isinstance(case.body, bytes):
        return {"body_parts": [list(part) for part in case.body]}
    try:
        return {"body": case.body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(case.body).decode()}


def answer(client: TestClient, case: Case, body: bytes) -> dict[str, object]:
    """Status and exact text of the reference's answer."""
    response = client.request(case.method, case.path, content=body, headers=case.headers)
    return {"status": response.status_code, "body": response.content.decode()}


def record(client: TestClient, case: Case) -> dict[str, object]:
    """A case with its answer; a failure of the reference must have a wanted difference."""
    request = {"method": case.method, "path": case.path, "headers": case.headers}
    response = answer(client, case, body_bytes(case))
    result: dict[str, object] = {
        "name": case.name,
        "request": {**request, **body_record(case)},
        "response": response,
    }
    if case.wanted is None:
        if response["status"] == 500:
            raise SystemExit(f"Cannot record {case.name!r} as the reference must not fail")
        return result
    wanted: dict[str, object] = {"status": case.wanted.status, "body": case.wanted.body}
    if case.wanted.same_as_body is not None:
        wanted = answer(client, case, case.wanted.same_as_body)
    if wanted == response:
        raise SystemExit(f"Cannot record {case.name!r} as a wanted difference must differ")
    return {**result, "wantedDifference": {"why": case.wanted.why, "response": wanted}}


def main() -> None:
    """Writes one file a group."""
    for package, pin in PINS.items():
        if version(package) != pin:
            raise SystemExit(f"Cannot generate as {package} must be {pin}: {version(package)}")
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(f"Cannot generate as Python must be 3.11: current is {sys.version}")
    client = TestClient(build_app(), raise_server_exceptions=False)
    for group, cases in groups().items():
        records = [record(client, case) for case in cases]
        text = json.dumps(records, indent=1, ensure_ascii=True)
        (HERE / f"{group}.json").write_text(text + "\n", encoding="utf-8")
        differing = sum("wantedDifference" in entry for entry in records)
        print(f"{group}: {len(records)} cases, {differing} differ on purpose")


if __name__ == "__main__":
    main()
