# SPDX-License-Identifier: GPL-3.0-or-later
if BASH_COMPLETION
dist_bashcompletion_DATA = %D%/upcase %D%/upcase-lab %D%/upcased
endif
