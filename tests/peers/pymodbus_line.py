"""Units by pymodbus whose registers say where they are; prints `ready` once it listens.

Usage: pymodbus_line.py tcp PORT | rtu-over-tcp PORT | serial PATH

Units 0, 1, 2, 247 and 255 over Modbus/TCP, else 1 and 247, which do what is broadcast to 0. Addresses 0 to 4095 of each
table; what they hold and what the special ones do is the same for every peer: see modbus_line.c. What is written lasts,
at any address. Requests are answered when they are done, whatever came meanwhile, and a late reply bears the transaction
id and the unit of the latest request.
"""

import asyncio
import logging
import sys

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNITS = {"tcp": [0, 1, 2, 247, 255], "rtu-over-tcp": [1, 247], "serial": [1, 247]}
COILS, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4
SALT = {COILS: 0x1111, DISCRETE: 0x2222, HOLDING: 0, INPUT: 0x4444}
SIZE = 4096
IDENTITY = ModbusDeviceIdentification(info_name={"VendorName": "Plimsoll", "ProductCode": "line", "MajorMinorRevision": "1"})
EXCEPTION, DELAY, SILENCE, CLOSE = 3100, 3400, 3900, 3901


def word(unit, table, address):
    return (address * 31 + unit * 7 + SALT[table]) & 0xFFFF


def bit(unit, table, address):
    return word(unit, table, address).bit_count() % 2 == 1


class Line:
    def __init__(self, kind):
        self.kind = kind
        self.server = None

    async def act(self, _function, _start, address, _count, _registers, _values):
        if EXCEPTION < address <= EXCEPTION + 11:
            return ExcCodes(address - EXCEPTION)
        if DELAY <= address < DELAY + 500:
            await asyncio.sleep((address - DELAY) / 100)
        if address == SILENCE or (address == CLOSE and self.kind == "serial"):
            await asyncio.sleep(86400)
        if address == CLOSE:
            for connection in list(self.server.active_connections.values()):
                connection.close()
        return None

    def device(self, unit):
        def words(table):
            return [SimData(0, values=[word(unit, table, at) for at in range(SIZE)], datatype=DataType.REGISTERS)]

        def bits(table):
            return [SimData(0, values=[bit(unit, table, at) for at in range(SIZE)], datatype=DataType.BITS)]

        tables = (bits(COILS), bits(DISCRETE), words(HOLDING), words(INPUT))
        return SimDevice(unit, tables, action=self.act)

    async def serve(self, where):
        devices = [self.device(unit) for unit in UNITS[self.kind]]
        framer = FramerType.SOCKET if self.kind == "tcp" else FramerType.RTU
        told = {"framer": framer, "identity": IDENTITY, "broadcast_enable": self.kind != "tcp"}
        if self.kind == "serial":
            self.server = ModbusSerialServer(devices, port=where, baudrate=115200, **told)
        else:
            self.server = ModbusTcpServer(devices, address=("127.0.0.1", int(where)), **told)
        serving = asyncio.create_task(self.server.serve_forever())
        while self.server.transport is None and not serving.done():
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        await serving


# It logs each exception that it was asked for.
logging.disable(logging.CRITICAL)
kind, where = sys.argv[1:]
asyncio.run(Line(kind).serve(where))
