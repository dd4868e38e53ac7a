# SPDX-License-Identifier: BSD-2-Clause
srcs-y += baseline_ta.c
global-incdirs-y += .
cflags-y += -Wall -Wextra -isystem $(ta-dev-kit-dir)/include
