# SPDX-License-Identifier: MIT
# The black-box tests: Python 3 and pytest of the distribution, against the program as its users run it. tests/run calls them
# on three builds; the targets here use the program of this build tree. Helpers in C are compiled when first needed.
EXTRA_DIST += \
  %D%/conftest.py \
  %D%/pytest.ini \
  %D%/lib/case.py \
  %D%/lib/certs.py \
  %D%/lib/daemon.py \
  %D%/lib/clock.c \
  %D%/lib/delayproxy.c \
  %D%/lib/destinations.py \
  %D%/lib/dns.py \
  %D%/lib/dovecot.py \
  %D%/lib/island.py \
  %D%/lib/kerberos.py \
  %D%/lib/leaks.py \
  %D%/lib/faults.c \
  %D%/lib/live.py \
  %D%/lib/mailhaul.py \
  %D%/lib/models.py \
  %D%/lib/mta.py \
  %D%/lib/oidc/install \
  %D%/lib/oidc/package-lock.json \
  %D%/lib/oidc/package.json \
  %D%/lib/oidc/server.mjs \
  %D%/lib/peak.c \
  %D%/lib/provider.py \
  %D%/lib/pushserver.py \
  %D%/lib/takers.py \
  %D%/lib/tlsfront.py \
  %D%/lib/transcript.py \
  %D%/script \
  %D%/live \
  %D%/crash \
  %D%/bench

BLACK_BOX = MAILHAUL=$${MAILHAUL-$(abs_top_builddir)/mailhaul} PYTHONDONTWRITEBYTECODE=1
PYTEST = $(BLACK_BOX) /usr/bin/python3 -m pytest -q -p no:cacheprovider

# make check-script T=imap-body-nil: one transcript, or all of them. T narrows the other families too (pytest's -k).
check-script: mailhaul$(EXEEXT)
	$(PYTEST) $(srcdir)/tests/script $(if $(T),-k "$(T)")

check-live: mailhaul$(EXEEXT)
	$(PYTEST) $(srcdir)/tests/live $(if $(T),-k "$(T)")

# The crash hooks are in a developer build only (configure --enable-dev).
check-crash: mailhaul$(EXEEXT)
	MAILHAUL_PLAIN=$${MAILHAUL_PLAIN-$(abs_top_builddir)/mailhaul} $(PYTEST) $(srcdir)/tests/crash $(if $(T),-k "$(T)")

# Every step, every call: long.
sweep: mailhaul$(EXEEXT)
	MAILHAUL_SWEEP=full MAILHAUL_PLAIN=$${MAILHAUL_PLAIN-$(abs_top_builddir)/mailhaul} $(PYTEST) $(srcdir)/tests/crash

# Against mpop, mbsync, getmail and fdm on one Dovecot. Meaningful with a release build.
bench: mailhaul$(EXEEXT)
	$(BLACK_BOX) /usr/bin/python3 $(srcdir)/tests/bench/bench.py

bench-short: mailhaul$(EXEEXT)
	$(BLACK_BOX) /usr/bin/python3 $(srcdir)/tests/bench/bench.py --short

.PHONY: check-script check-live check-crash sweep bench bench-short

include tests/unit/local.mk
include tests/fuzz/local.mk
