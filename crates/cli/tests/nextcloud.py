"""A server that Nextcloud's and ownCloud's commands talk to: as much of theirs as a test of syncing needs.

It serves one folder, to whoever asks, on a free port of this computer, which it prints. No package has a
server of their makers; what is looked at is what the clients do, and they are the real ones.
"""

import hashlib, json, os, shutil, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from email.utils import formatdate
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

TOP = os.path.realpath(sys.argv[1])
BEGINNINGS = ("/remote.php/dav/files/x", "/remote.php/webdav")


def tag(path):
    """What changes when anything in it does."""
    about = os.lstat(path)
    if not os.path.isdir(path):
        return f"{about.st_ino}-{about.st_mtime_ns}-{about.st_size}"
    below = "".join(name + tag(os.path.join(path, name)) for name in sorted(os.listdir(path)))
    return hashlib.md5(f"{about.st_ino} {below}".encode()).hexdigest()


def number(path):
    """By it a client knows again what was renamed."""
    return f"{os.lstat(path).st_ino:08}linkwell"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", kind="application/json", **more):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def place(self, url):
        path = unquote(urlsplit(url).path)
        for beginning in BEGINNINGS:
            if path == beginning or path.startswith(beginning + "/"):
                found = os.path.normpath(TOP + "/" + path[len(beginning):])
                return beginning, found if (found + "/").startswith(TOP + "/") else None
        return None, None

    def about(self, path):
        return dict(OC_FileId=number(path), ETag=f'"{tag(path)}"', OC_ETag=f'"{tag(path)}"')

    def do_GET(self):
        path = urlsplit(self.path).path
        version = {"major": 25, "minor": 0, "micro": 0, "string": "25.0.0", "edition": ""}
        meta = {"status": "ok", "statuscode": 100, "message": "OK"}
        known = {"core": {"pollinterval": 60, "webdav-root": "remote.php/webdav"}, "files": {}, "dav": {}}
        if path == "/status.php":
            words = {"installed": True, "maintenance": False, "needsDbUpgrade": False}
            words |= {"version": "25.0.0.0", "versionstring": "25.0.0", "edition": "", "productname": "x"}
        elif path.endswith("/cloud/capabilities"):
            words = {"ocs": {"meta": meta, "data": {"version": version, "capabilities": known}}}
        elif path.endswith("/cloud/user"):
            words = {"ocs": {"meta": meta, "data": {"id": "x", "display-name": "x", "email": ""}}}
        else:
            _, found = self.place(self.path)
            if not found or not os.path.isfile(found):
                return self.answer(404)
            with open(found, "rb") as file:
                return self.answer(200, file.read(), "application/octet-stream", **self.about(found))
        self.answer(200, json.dumps(words).encode())

    do_HEAD = do_GET

    def do_PROPFIND(self):
        self.body()
        beginning, found = self.place(self.path)
        if not found or not os.path.exists(found):
            return self.answer(404)
        all = [found]
        if os.path.isdir(found) and self.headers.get("Depth") != "0":
            all += [os.path.join(found, name) for name in sorted(os.listdir(found))]
        text = '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">'
        for path in all:
            folder = os.path.isdir(path)
            below = os.path.relpath(path, TOP)
            href = beginning + "/" + ("" if below == "." else quote(below) + ("/" if folder else ""))
            size = 0 if folder else os.path.getsize(path)
            kind = "<d:collection/>" if folder else ""
            may = "RGDNVCK" if folder else "RGDNVW"
            length = "" if folder else f"<d:getcontentlength>{size}</d:getcontentlength>"
            text += f"""<d:response><d:href>{escape(href)}</d:href><d:propstat><d:prop>
                <d:resourcetype>{kind}</d:resourcetype>{length}
                <d:getlastmodified>{formatdate(os.path.getmtime(path), usegmt=True)}</d:getlastmodified>
                <d:getetag>"{tag(path)}"</d:getetag><oc:id>{number(path)}</oc:id><oc:fileid>{number(path)}</oc:fileid>
                <oc:permissions>{may}</oc:permissions><oc:size>{size}</oc:size>
                <d:quota-available-bytes>-3</d:quota-available-bytes><d:quota-used-bytes>0</d:quota-used-bytes>
                </d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"""
        self.answer(207, (text + "</d:multistatus>").encode(), "application/xml; charset=utf-8")

    def do_PUT(self):
        _, found = self.place(self.path)
        content = self.body()
        if not found or not os.path.isdir(os.path.dirname(found)):
            return self.answer(409)
        with open(found, "wb") as file:
            file.write(content)
        time = self.headers.get("X-OC-Mtime")
        if time:
            os.utime(found, (int(time), int(time)))
        self.answer(201, X_OC_MTime="accepted", **self.about(found))

    def do_MKCOL(self):
        self.body()
        _, found = self.place(self.path)
        if not found or os.path.exists(found):
            return self.answer(405)
        os.mkdir(found)
        self.answer(201, **self.about(found))

    def do_DELETE(self):
        _, found = self.place(self.path)
        if not found or not os.path.exists(found):
            return self.answer(404)
        shutil.rmtree(found) if os.path.isdir(found) else os.remove(found)
        self.answer(204)

    def do_MOVE(self):
        _, found = self.place(self.path)
        _, to = self.place(self.headers["Destination"])
        os.rename(found, to)
        self.answer(201, **self.about(to))


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
