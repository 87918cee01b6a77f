# SPDX-License-Identifier: MIT
dist_man_MANS += %D%/man/mailhaul.1 %D%/man/mailhaul.conf.5
