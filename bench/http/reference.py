"""A stand-in for the reference's stack, written for this benchmark after the reference's description.

FastAPI, one SQLite file, and a worker process that polls it. An upload is a commit of its own. The worker
writes a constant, so this is faster than the real one, which ran a random forest.

    uvicorn reference:app --port PORT        python reference.py        both with PRESCORE_BENCH_DATABASE
"""

import hashlib
import json
import os
import sqlite3
import time

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

POLL_S = 0.05
RESULT = json.dumps({f"bank_{bank}": "0.40770822763442993" for bank in "abcde"})


class Features(BaseModel):
    birthdate: str | None = None
    education: str | None = None
    employment_status: str | None = None
    value: str | None = None
    jobstartdate: str | None = None
    position: str | None = None
    monthprofit: float | None = None
    monthexpense: float | None = None
    gender: int | None = None
    family_status: str | None = None
    childcount: int | None = None
    snils: int | None = None
    merch_code: int | None = None
    loan_amount: float | None = None
    loan_term: float | None = None
    goods_category: str | None = None


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(os.environ["PRESCORE_BENCH_DATABASE"], check_same_thread=False, timeout=30)
    connection.execute("CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, features TEXT, result TEXT)")
    return connection


app = FastAPI()
database = connect()


@app.post("/upload_features", status_code=201)
def upload_features(features: Features) -> dict[str, object]:
    answers = features.model_dump()
    task_id = hashlib.sha1(str(answers).encode()).hexdigest()
    connection = connect()
    with connection:
        connection.execute(
            "INSERT INTO tasks VALUES (?, ?, NULL) ON CONFLICT DO NOTHING", (task_id, json.dumps(answers))
        )
    connection.close()
    return {"task_id": task_id, "is_complete": False}


def result_of(task_id: str) -> str | None:
    connection = connect()
    query = "SELECT result FROM tasks WHERE id = ?"
    row: tuple[str | None] | None = connection.execute(query, (task_id,)).fetchone()
    connection.close()
    if row is None:
        raise HTTPException(404, "Task not found")
    return row[0]


@app.get("/check_task")
def check_task(task_id: str) -> bool:
    return result_of(task_id) is not None


@app.get("/get_result")
def get_result(task_id: str) -> dict[str, str]:
    result = result_of(task_id)
    if result is None:
        raise HTTPException(404, "Task not finished")
    return {"task_id": task_id, **json.loads(result)}


def work() -> None:
    while True:
        rows = database.execute("SELECT id FROM tasks WHERE result IS NULL LIMIT 100").fetchall()
        with database:
            database.executemany(
                "UPDATE tasks SET result = ? WHERE id = ?", [(RESULT, row[0]) for row in rows]
            )
        if not rows:
            time.sleep(POLL_S)


if __name__ == "__main__":
    work()
