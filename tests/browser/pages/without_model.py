"""The page on a machine without its model; the download is a stand-in that takes a second and breaks off once."""

import os
import time
from pathlib import Path

from healgpt.backends import load
from healgpt.consult.doctor import Doctor
from healgpt.errors import ModelUnavailable
from healgpt.models import catalog
from healgpt.models.progress import Progress
from healgpt.web import app, download, engine


def pull(name, *, report):
    entry = catalog.resolve(catalog.find(name))
    place = catalog.path(entry)
    for step in range(1, 11):
        time.sleep(0.15)
        report(Progress(entry.size * step // 10, entry.size, 2e8, 0.15 * (10 - step), "download"))
        broken = place.with_suffix(".broken")
        if step == 5 and not broken.exists():
            broken.parent.mkdir(parents=True, exist_ok=True)
            broken.touch()
            raise ModelUnavailable("网络断开了。请再试一次。")
    with place.open("wb") as stream:
        stream.truncate(entry.size)
    return place


download.pull = pull
replies = Path(os.environ["HEALGPT_HOME"]) / "replies.jsonl"
engine.open_doctor = lambda spec, options: Doctor(load(f"scripted:{replies}", options))
app.main()
