/* A Modbus server by libmodbus whose registers say where they are; prints `ready` once it listens.
 *
 * Usage: modbus_line tcp PORT | rtu PATH UNIT
 *
 * Over TCP it answers as every unit, each connection in a process of its own and strictly in order; over RTU as the one,
 * and does what is broadcast.
 * Addresses 0 to 4095 of each of the four tables (1 coils, 2 discrete inputs, 3 holding, 4 input registers) hold
 *
 *     word = (address * 31 + unit * 7 + salt) mod 65536     salt: 0x1111, 0x2222, 0, 0x4444
 *     bit  = whether the word has an odd number of ones
 *
 * 3000 to 3099 keep what is written there, whichever connection it came through. A request that begins at one of these is special:
 *
 *     3101 to 3111    exception (address - 3100)
 *     3400 to 3899    the right answer, (address - 3400) * 10 ms late
 *     3900            no answer
 *     3901            the connection is closed; over RTU no answer
 */

#include <errno.h>
#include <modbus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 4096, KEPT = 3000, KEPT_END = 3100, EXCEPTION = 3100, DELAY = 3400, SILENCE = 3900, CLOSE = 3901 };

static unsigned word(unsigned unit, unsigned table, unsigned address) {
    static const unsigned salt[] = {0, 0x1111, 0x2222, 0, 0x4444};
    return (address * 31 + unit * 7 + salt[table]) & 0xffff;
}

static int bit(unsigned unit, unsigned table, unsigned address) {
    return __builtin_popcount(word(unit, table, address)) % 2;
}

/* Fills all tables as those of a unit. */
static void become(modbus_mapping_t *tables, unsigned unit) {
    for (unsigned address = 0; address < SIZE; address++) {
        tables->tab_bits[address] = bit(unit, 1, address);
        tables->tab_input_bits[address] = bit(unit, 2, address);
        tables->tab_registers[address] = word(unit, 3, address);
        tables->tab_input_registers[address] = word(unit, 4, address);
    }
}

/* What was written to a unit and lasts. */
struct kept {
    int known;
    uint8_t bits[KEPT_END - KEPT];
    uint16_t registers[KEPT_END - KEPT];
};

/* Of all units; the processes of all connections share it. */
static struct kept *kept;

/* Makes the tables those of a unit, with what was written to it. */
static void restore(modbus_mapping_t *tables, unsigned unit) {
    become(tables, unit);
    if (kept[unit].known) {
        memcpy(tables->tab_bits + KEPT, kept[unit].bits, sizeof kept[unit].bits);
        memcpy(tables->tab_registers + KEPT, kept[unit].registers, sizeof kept[unit].registers);
    }
}

static void keep(const modbus_mapping_t *tables, unsigned unit) {
    kept[unit].known = 1;
    memcpy(kept[unit].bits, tables->tab_bits + KEPT, sizeof kept[unit].bits);
    memcpy(kept[unit].registers, tables->tab_registers + KEPT, sizeof kept[unit].registers);
}

/* Answers until the connection ends. `own` is the unit that obeys broadcasts, where there are any. */
static void serve(modbus_t *line, modbus_mapping_t *tables, int header, unsigned own) {
    uint8_t query[MODBUS_MAX_ADU_LENGTH];
    for (;;) {
        int length = modbus_receive(line, query);
        if (length < 0) {
            return;
        }
        if (length == 0) {
            continue; /* for another unit of the line */
        }
        unsigned unit = query[header - 1] ? query[header - 1] : own;
        unsigned address = query[header + 1] << 8 | query[header + 2];
        if (address == CLOSE) {
            errno = 0;
            return;
        }
        if (address == SILENCE) {
            continue;
        }
        if (address > EXCEPTION && address <= EXCEPTION + 11) {
            modbus_reply_exception(line, query, address - EXCEPTION);
            continue;
        }
        if (address >= DELAY && address < DELAY + 500) {
            usleep((address - DELAY) * 10000);
        }
        restore(tables, unit);
        if (modbus_reply(line, query, length, tables) < 0 && errno != EMBXILFUN && errno != EMBXILADD && errno != EMBXILVAL) {
            return;
        }
        keep(tables, unit);
    }
}

static void fail(const char *what) {
    fprintf(stderr, "modbus_line: %s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

static void ready(void) {
    puts("ready");
    fflush(stdout);
}

static void serve_tcp(modbus_mapping_t *tables, int port) {
    modbus_t *line = modbus_new_tcp("127.0.0.1", port);
    int listener = line ? modbus_tcp_listen(line, 64) : -1;
    if (listener < 0) {
        fail("listen");
    }
    signal(SIGCHLD, SIG_IGN);
    ready();
    for (;;) {
        int accepted = accept(listener, NULL, NULL);
        if (accepted < 0) {
            continue;
        }
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            modbus_set_socket(line, accepted);
            serve(line, tables, modbus_get_header_length(line), 0);
            _exit(0);
        }
        close(accepted);
    }
}

static void serve_rtu(modbus_mapping_t *tables, const char *path, int unit) {
    modbus_t *line = modbus_new_rtu(path, 115200, 'N', 8, 1);
    if (!line || modbus_set_slave(line, unit) < 0 || modbus_connect(line) < 0) {
        fail(path);
    }
    /* What came before belongs to somebody else. */
    modbus_flush(line);
    ready();
    for (;;) {
        serve(line, tables, modbus_get_header_length(line), unit);
        if (errno == EIO || errno == EBADF || errno == ENXIO) {
            fail(path);
        }
        /* A frame that was cut or garbled: the next one begins after a pause. */
        modbus_flush(line);
    }
}

int main(int count, char **words) {
    modbus_mapping_t *tables = modbus_mapping_new(SIZE, SIZE, SIZE, SIZE);
    kept = mmap(NULL, 256 * sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!tables || kept == MAP_FAILED) {
        fail("tables");
    }
    if (count == 3 && strcmp(words[1], "tcp") == 0) {
        serve_tcp(tables, atoi(words[2]));
    } else if (count == 4 && strcmp(words[1], "rtu") == 0) {
        serve_rtu(tables, words[2], atoi(words[3]));
    }
    fprintf(stderr, "usage: modbus_line tcp PORT | rtu PATH UNIT\n");
    return 2;
}
