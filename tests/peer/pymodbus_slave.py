"""The robot's modules as python3-pymodbus serves them: RTU slaves that nobody of this project wrote. It opens a serial device,
answers for units 2 to 5 and is silent for all others. Orders come on stdin and are answered on stdout, one JSON line each:

  {"get": [unit, address, count]}          -> {"values": [...]}
  {"set": [unit, address, [value, ...]]}   -> {}
  {"delay_ms": [from, to]}                 -> {}       each answer leaves so much later

Registers are those of the profile; each holds a number of its own unless FIXED or an order says otherwise."""
import asyncio
import json
import pathlib
import random
import sys
import tomllib

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusSingleRequestHandler, StartAsyncSerialServer
from pymodbus.transaction import ModbusRtuFramer

PROFILE = pathlib.Path(__file__).resolve().parents[2] / "schemas/registers/oht50.toml"
# unit: {address: value}. A robot that stands, charged, in free space; ids and versions differ from the simulator's.
FIXED = {
    2: {0x0000: 252, 0x0001: 0x10000 - 15, 0x0002: 640, 0x0008: 31, 0x0023: 0, 0x003E: 0,
        **{0x0014 + i: 4200 - 10 * i for i in range(6)}},
    3: {0x0001: 0, 0x0002: 0, 0x0003: 0, 0x0005: 0, 0x0010: 4001, 0x0011: 4002, 0x0012: 4003, 0x0013: 4004, 0x0052: 0},
    4: {0x0001: 0, 0x0002: 0, 0x0006: 0, 0x0007: 0, 0x000C: 0, 0x0011: 0, 0x0012: 0, 0x0016: 0, 0x0017: 0, 0x001C: 0,
        **{0x0040 + i: 0 for i in range(8)}},
    5: {0x7005: 0, 0x7100: 0x5678, 0x7101: 0x1234, 0x7102: 77, 0x7103: 1, 0x7200: 11, 0x7201: 0x10000 - 22, 0x7202: 1003,
        0x7203: 26, 0x7300: 0, 0x7301: 1, 0x7302: 812, 0x7303: 345, 0x7304: 0, 0x9000: 0, 0x9001: 0},
}
WORDS = {"u32": 2, "i32": 2, "text4": 2}


def registers(unit, module, system):
    """Address to value of one unit."""
    words = {}
    for row in [*system["register"].values(), *module["register"].values()]:
        for i in range(WORDS.get(row.get("type"), 1)):
            words[row["address"] + i] = (unit << 8 | row["address"] & 0xFF) & 0x7FFF
    words |= {0x0100: unit, 0x0101: 5, 0x0102: 0, 0x0103: 1, 0x0104: unit, 0x0105: 0x0300 + unit, 0x0106: 0x0200,
              0x0107: 0, 0x0108: 0, 0x00FB: 0x1000 + unit, 0x00FC: 0x0002}
    return words | FIXED[unit]


def context():
    profile = tomllib.loads(PROFILE.read_text())["module"]
    modules = {module["address"]: module for module in profile.values() if "address" in module}
    slaves = {unit: ModbusSlaveContext(hr=ModbusSparseDataBlock(registers(unit, modules[unit], profile["system"])),
                                       zero_mode=True) for unit in FIXED}
    return ModbusServerContext(slaves=slaves, single=False)


class Slave:
    def __init__(self):
        self.units, self.delay_ms, self.random = context(), (0, 0), random.Random(1)

    def handler(self, server):
        """pymodbus' own, but for answers that leave late: each by itself, as from modules that know nothing of each other."""
        slave = self

        class Handler(ModbusSingleRequestHandler):
            def _send_(self, data):
                delay_s = slave.random.uniform(*slave.delay_ms) / 1e3
                if delay_s:
                    asyncio.get_running_loop().call_later(delay_s, super()._send_, data)
                else:
                    super()._send_(data)

        return Handler(server)

    def obey(self):
        order, answer = json.loads(sys.stdin.readline() or "{}"), {}
        if "get" in order:
            unit, address, count = order["get"]
            answer = {"values": self.units[unit].getValues(3, address, count)}
        elif "set" in order:
            unit, address, values = order["set"]
            self.units[unit].setValues(16, address, values)
        elif "delay_ms" in order:
            self.delay_ms = order["delay_ms"]
        else:
            asyncio.get_running_loop().remove_reader(sys.stdin)  # end of file: nobody orders any more
        print(json.dumps(answer), flush=True)

    async def serve(self, device):
        asyncio.get_running_loop().add_reader(sys.stdin, self.obey)
        await StartAsyncSerialServer(context=self.units, framer=ModbusRtuFramer, port=device, baudrate=115200,
                                     ignore_missing_slaves=True, handler=self.handler)


if __name__ == "__main__":
    asyncio.run(Slave().serve(sys.argv[1]))
