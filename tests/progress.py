"""A pytest plugin: a run that makes no progress for a minute ends, and says where it stood."""

import faulthandler
import os
import signal
import threading

import processes

#: AUTH0_STT_STALL is for the test of this plugin.
SECONDS = float(os.environ.get("AUTH0_STT_STALL", "60"))


class Watch(threading.Thread):
    """Waits for signs of progress, and ends the run when there are none."""

    def __init__(self, stream):
        super().__init__(name="watch", daemon=True)
        self._stream = stream
        self._sign = threading.Event()
        self._over = False

    def run(self):
        while not self._over:
            # If even this thread can't run, because something keeps the interpreter's lock.
            faulthandler.dump_traceback_later(2 * SECONDS, exit=True, file=self._stream)
            self._sign.clear()
            if not self._sign.wait(SECONDS) and not processes.within_their_time():
                self._end()
        faulthandler.cancel_dump_traceback_later()

    def _end(self):
        self._stream.write(f"\nNo progress for {SECONDS:g} seconds.\n")
        self._stream.flush()
        faulthandler.dump_traceback(self._stream, all_threads=True)
        processes.end_all()
        os._exit(3)

    def pytest_sessionstart(self):
        self.start()

    def pytest_runtest_logstart(self):
        self._sign.set()

    def pytest_runtest_logreport(self):
        self._sign.set()

    def pytest_collectreport(self):
        self._sign.set()

    def pytest_fixture_setup(self):
        self._sign.set()

    def pytest_fixture_post_finalizer(self):
        self._sign.set()

    def pytest_unconfigure(self):
        self._over = True
        self._sign.set()
        if self.is_alive():
            self.join()
        self._stream.close()


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell does that to jobs in the background, and every child would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # The standard error of the run: during a test, descriptor 2 is a file.
    watch = Watch(os.fdopen(os.dup(2), "w"))
    config.pluginmanager.register(watch)
