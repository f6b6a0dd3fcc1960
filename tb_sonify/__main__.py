"""`python -m tb_sonify` is the command `tb-sonify`."""

import sys

from tb_sonify.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
