"""What the bridge keeps of a device that is pulled again and again, which is not to be judged under a sanitizer: that keeps what
it has seen."""
import unittest

from test_bridge_dies import REPLUGS, Cable
from wire import Line


class Memory(unittest.TestCase):
    def test_replugged_again_and_again_it_keeps_no_memory(self):
        line = Line()
        self.addCleanup(line.close)
        cable = Cable(line)
        for _ in range(10):
            cable.replug()  # what is made once is made
        before = cable.memory_kib()
        for _ in range(REPLUGS):
            cable.replug()
        after = cable.memory_kib()
        print(f"{REPLUGS} replugs: KiB {before} to {after}")
        self.assertLess(after, before + 512)


if __name__ == "__main__":
    unittest.main()
