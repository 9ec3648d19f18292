"""A pymodbus TCP server with 100 registers on 127.0.0.1; prints `ready` once it listens.

Usage: pymodbus_server.py PORT
"""

import asyncio
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


async def main(port):
    registers = SimData(0, values=list(range(100)), datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, registers), address=("127.0.0.1", port))
    serving = asyncio.create_task(server.serve_forever())
    while server.transport is None and not serving.done():
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await serving


asyncio.run(main(int(sys.argv[1])))
