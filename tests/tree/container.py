# SPDX-License-Identifier: GPL-3.0-or-later
"""The image and the container for editors: they install by tools/needs, and all papers name the same flags."""

import json
import re

from tap import done, point, read

FLAGS = ['seccomp=unconfined', 'systempaths=unconfined']


def stages(text):
    return re.split(r'^FROM ', text, flags=re.M)[1:]


def flags(text):
    return re.findall(r'--security-opt[ ",]+([a-z]+=[a-z]+)', text)


container = read('Containerfile')
built, final = stages(container)
image = built.split()[0]
point('both stages of the image have one base', [] if final.split()[0] == image else [final.split()[0]])
point('what the image is built with is installed by tools/needs alone',
      [] if 'RUN tools/needs install build' in built and 'apt-get' not in built else built.splitlines())
point('the image runs as an ordinary user, and the lab by itself',
      [] if re.search(r'^USER (?!root)', final, re.M) and 'CMD ["upcase-lab"' in final else final.splitlines())
# It is in a clone only.
text = read('.devcontainer', 'devcontainer.json')
if text:
    editor = json.loads(text)
    point('the container for editors is of the same base, and has what the tests need',
          [] if image.startswith(editor['image']) and editor['postCreateCommand'] == 'tools/needs install test'
          else [str(editor)])
    point('it gets the flags that the lab needs', [] if editor['runArgs'] == [
        word for flag in FLAGS for word in ('--security-opt', flag)] else editor['runArgs'])
for name in ('Containerfile', 'README.md'):
    found = flags(read(name))
    point(f'{name} names the flags that the lab needs', [] if found[:2] == FLAGS else found)
manual = read('man', 'upcase-lab.1')
point('upcase-lab(1) names them too', [flag for flag in FLAGS if flag not in manual])
done()
