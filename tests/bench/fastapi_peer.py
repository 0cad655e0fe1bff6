"""The peer of the gateway: what the robot's published back end is made of. FastAPI on uvicorn, a JWT checked by PyJWT and a response
model a request, an SQLite insert and commit a reading, a WebSocket that each client's own task feeds 20 times a second."""
import asyncio
import datetime
import json
import os
import sqlite3
import time
from typing import Any, Dict

import jwt
from fastapi import Depends, FastAPI, HTTPException, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

SECRET = os.environ["PEER_SECRET"]
app = FastAPI()
bearer = HTTPBearer()
database = sqlite3.connect(os.environ["PEER_DATABASE"], check_same_thread=False)
database.execute("CREATE TABLE IF NOT EXISTS sensor_readings (id INTEGER PRIMARY KEY, sensor_type TEXT, sensor_id TEXT, data TEXT, "
                 "quality REAL, timestamp TEXT)")


def caller(credentials: HTTPAuthorizationCredentials = Depends(bearer)):
    try:
        return jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], audience="gantry", issuer="gantry")
    except jwt.PyJWTError as error:
        raise HTTPException(401, "invalid token") from error


class Position(BaseModel):
    x: float
    y: float
    theta: float
    confidence: float
    source: str
    timestamp: datetime.datetime


class RobotPosition(BaseModel):
    success: bool
    position: Position
    message: str
    timestamp: datetime.datetime


class Reading(BaseModel):
    sensor_type: str = Field(regex="^(rfid|accelerometer|proximity|lidar)$")
    sensor_id: str = Field(min_length=1, max_length=50)
    data: Dict[str, Any]
    quality: float = Field(ge=0, le=1)


@app.get("/api/v1/map/robot-position", response_model=RobotPosition)
async def robot_position(_claims: dict = Depends(caller)):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"success": True, "message": "Robot position.", "timestamp": now,
            "position": {"x": 12500.0, "y": 3250.0, "theta": 0.5, "confidence": 0.98, "source": "lidar", "timestamp": now}}


@app.post("/api/v1/sensors/data")
async def sensor_data(reading: Reading, _claims: dict = Depends(caller)):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    database.execute("INSERT INTO sensor_readings (sensor_type, sensor_id, data, quality, timestamp) VALUES (?, ?, ?, ?, ?)",
                     (reading.sensor_type, reading.sensor_id, json.dumps(reading.data), reading.quality, now))
    database.commit()
    return {"success": True, "sensor_id": reading.sensor_id, "message": "Stored.", "timestamp": now}


@app.websocket("/ws")
async def feed(socket: WebSocket):
    await socket.accept()
    seq = 0
    while True:
        seq += 1
        frame = {"type": "position", "seq": seq, "born_ns": time.monotonic_ns(), "data": {"x": 1.0, "y": 2.0, "theta": 0.5}}
        await socket.send_text(json.dumps(frame).ljust(200))
        await asyncio.sleep(0.05)
