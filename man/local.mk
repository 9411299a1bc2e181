# SPDX-License-Identifier: GPL-3.0-or-later
dist_man_MANS = %D%/upcase.1 %D%/upcase.7 %D%/upcase-exercises.7 %D%/upcase-solutions.7 \
	%D%/upcase-tour.7 %D%/upcased.8
if LAB
dist_man_MANS += %D%/upcase-lab.1 %D%/upcase-check.1
endif

# Pictures of real runs for the manual and the README, and the recording; made anew by hand, since every
# run is another one in its times.
picturesdir = $(docdir)/pictures
dist_pictures_DATA = %D%/pictures/plots.svg %D%/pictures/queue.svg %D%/pictures/repair.svg %D%/pictures/screen.svg \
	%D%/pictures/recording.svg
EXTRA_DIST += tools/pictures tools/screen-picture %D%/recording.script
pictures: all
	$(AM_TESTS_ENVIRONMENT) UPCASE_LAB_PROGRAM=$(abs_top_builddir)/lab/upcase-lab $(SHELL) $(srcdir)/tools/pictures $(srcdir)/%D%/pictures
recording: all tests/screen/test_recording$(EXEEXT)
	$(AM_TESTS_ENVIRONMENT) RECORDING='$(abs_srcdir)/%D%/pictures/recording.svg' tests/screen/test_recording$(EXEEXT)
.PHONY: pictures recording

# The manual as web pages, in html/: not part of all.
HTML_FILES = $$($(SHELL) $(srcdir)/tools/manual-html --list)
EXTRA_DIST += tools/manual-html %D%/manual.css
html-local:
	@$(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/tools/manual-html html
	@echo "html/index.html"
install-html-local: html-local
	@for file in $(HTML_FILES); do \
		$(MKDIR_P) "$$(dirname "$(DESTDIR)$(htmldir)/$$file")" && \
		$(INSTALL_DATA) "html/$$file" "$(DESTDIR)$(htmldir)/$$file" || exit 1; \
	done
uninstall-local:
	@for file in $(HTML_FILES); do rm -f "$(DESTDIR)$(htmldir)/$$file"; done
clean-local:
	rm -rf html
