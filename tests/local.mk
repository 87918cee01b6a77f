# SPDX-License-Identifier: MIT
# The black-box tests: Python 3 and pytest of the distribution, against the program as its users run it.
EXTRA_DIST += \
  %D%/lib/certs.py \
  %D%/lib/dovecot.py
include tests/unit/local.mk
