# SPDX-License-Identifier: MIT
dist_man_MANS += %D%/man/mailhaul.1
