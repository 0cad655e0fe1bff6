"""The peer of the ingest: the stack of the robot's published back end, SQLAlchemy's asynchronous session on SQLite without a pool,
its table of readings, one commit a reading. sqlalchemy_peer.py FILE SECONDS. Prints rows and seconds."""
import asyncio
import datetime
import sys
import time

from sqlalchemy import JSON, Column, DateTime, Integer, Numeric, String
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import declarative_base, sessionmaker
from sqlalchemy.pool import NullPool

Base = declarative_base()


class SensorReading(Base):
    __tablename__ = "sensor_readings"
    id = Column(Integer, primary_key=True, autoincrement=True)
    sensor_type = Column(String(20), nullable=False)
    sensor_id = Column(String(50), nullable=False)
    data = Column(JSON, nullable=False)
    quality = Column(Numeric(3, 2, asdecimal=False), nullable=False)
    timestamp = Column(DateTime, default=datetime.datetime.utcnow)


async def main(file, seconds):
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    make_session = sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
    rows, begin = 0, time.monotonic()
    async with make_session() as session:
        while time.monotonic() - begin < seconds:
            session.add(SensorReading(sensor_type="force", sensor_id=f"bench-{rows % 50}", quality=1.0,
                                      data={"value": (rows % 8191) / 8, "unit": "N"}))
            await session.commit()
            rows += 1
    print(rows, time.monotonic() - begin)
    await engine.dispose()


asyncio.run(main(sys.argv[1], float(sys.argv[2])))
