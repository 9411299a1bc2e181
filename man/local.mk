# SPDX-License-Identifier: GPL-3.0-or-later
dist_man_MANS = %D%/upcase.1 %D%/upcase-lab.1 %D%/upcase.7 %D%/upcase-tour.7 %D%/upcased.8

# Pictures of real runs for the manual and the README; made anew by hand, since every run is another
# one in its times.
picturesdir = $(docdir)/pictures
dist_pictures_DATA = %D%/pictures/plots.svg %D%/pictures/queue.svg %D%/pictures/repair.svg
EXTRA_DIST += tools/pictures tools/screen-picture %D%/pictures/screen.svg
pictures: all
	$(AM_TESTS_ENVIRONMENT) UPCASE_LAB_PROGRAM=$(abs_top_builddir)/lab/upcase-lab $(SHELL) $(srcdir)/tools/pictures $(srcdir)/%D%/pictures
.PHONY: pictures
