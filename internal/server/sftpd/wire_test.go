package sftpd

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"vidimus/internal/domain/company"
	"vidimus/internal/service/account"
	"vidimus/internal/service/publish"
)

func TestLongNamesLookLikeThoseOfLS(t *testing.T) {
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		e    entry
		want string
	}{
		{entry{"A.zip", attributes{4711, modeFile | 0o666, time.Date(2026, time.July, 28, 13, 41, 0, 0, time.UTC).Unix()}}, "-rw-rw-rw-    1 ihrebank ihrebank     4711 Jul 28 13:41 A.zip"},
		{entry{"B.zip", attributes{1, modeFile | 0o666, time.Date(2025, time.July, 3, 13, 41, 0, 0, time.UTC).Unix()}}, "-rw-rw-rw-    1 ihrebank ihrebank        1 Jul  3  2025 B.zip"},
		{folderEntry("Archive", now), "drwxr-xr-x    1 ihrebank ihrebank        0 Nov 25 12:00 Archive"},
	} {
		if got := c.e.long("ihrebank", now); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestSpansAreJoined(t *testing.T) {
	f := &openFile{}
	for _, s := range []span{{10, 20}, {20, 30}, {0, 5}, {5, 10}, {25, 40}, {50, 60}} {
		f.gave(s.from, s.to, 0)
	}
	f.add(f.last)
	got := merge(f.given)
	if len(got) != 2 || got[0] != (span{0, 40}) || got[1] != (span{50, 60}) {
		t.Error(got)
	}
}

func TestADownloadInPiecesIsWholeAtTheLast(t *testing.T) {
	at := time.Date(2026, time.March, 9, 14, 0, 0, 0, time.UTC)
	p := pieces{now: func() time.Time { return at }}
	one, two := download{company: "bank", identification: "IBA-22222"}, download{company: "bank", identification: "IBA-22223"}
	for n, c := range []struct {
		of    download
		given []span
		want  bool
	}{
		{one, []span{{0, 40}}, false},
		{two, []span{{0, 40}}, false},
		{one, []span{{60, 100}}, false},
		{one, nil, false},
		{one, []span{{30, 60}}, true},
		{one, []span{{60, 100}}, false}, // it began anew
		{two, []span{{0, 100}}, true},
	} {
		if got := p.completes(c.of, 100, c.given, true); got != c.want {
			t.Errorf("%d: %v", n, got)
		}
	}
	at = at.Add(piecesFor)
	if p.completes(one, 100, []span{{0, 60}}, true) {
		t.Error("what was fetched long ago counts")
	}
	for n := range mostPieces + 5 {
		p.completes(download{result: at.Add(time.Duration(n))}, 100, []span{{0, 1}}, true)
	}
	if len(p.all) != mostPieces {
		t.Errorf("%d are remembered", len(p.all))
	}
}

// FuzzFind looks for a path that leads out of the two folders.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"", ".", "/", "Archive", "/Archive/x.zip", "../../etc/passwd", "/Archive/../x.zip", "Archive//x.zip", "a/b/c", "x\x00", "\xff", "/../Archive/./x.zip"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, sent string, archive bool) {
		a := &account.Account{Company: company.Company{Archive: archive}}
		p, ok := find(a, sent)
		if !ok {
			return
		}
		if strings.ContainsAny(p.file, "/\x00") || p.file == "." || p.file == ".." || !utf8.ValidString(p.file) || p.directory != publish.Root && p.directory != publish.ArchiveOnes {
			t.Fatalf("%q leads to %+v", sent, p)
		}
		if p.directory == publish.ArchiveOnes && !archive {
			t.Fatalf("%q leads into a folder that the account has not", sent)
		}
		again, ok := find(a, clean(sent))
		if !ok || again != p {
			t.Fatalf("%q leads to %+v, its clean form %q to %+v", sent, p, clean(sent), again)
		}
	})
}

// FuzzPackets takes messages apart as the server does. None may be read beyond its end.
func FuzzPackets(f *testing.F) {
	f.Add([]byte(packet{}.begin(msgOpen, 7).text("/x.zip").u32(openRead).u32(0).end()))
	f.Add([]byte(packet{}.begin(msgRead, 7).text("1").u64(1 << 63).u32(1 << 31).end()))
	f.Add([]byte(packet{}.begin(msgExtended, 7).text(extNames).text("\x00\x00\x03\xe8").text("\x00").end()))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		in := bytes.NewReader(sent)
		var room []byte
		for {
			kind, rest, kept, err := readPacket(in, room)
			room = kept
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errPacket) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			fs := fields{rest: rest}
			id := fs.u32()
			r := &request{session: newSession(&conn{server: &Server{}}), account: &account.Account{}, id: id, fields: &fs, packet: packet{}}
			var a answer
			switch kind {
			case msgExtended:
				a = r.extended()
			case msgRealpath:
				a = r.realpath()
			case msgClose:
				a = r.close()
			case msgReaddir:
				a = r.readdir()
			default:
				path, off := fs.path(), fs.offset()
				if off < 0 || len(path) > maxPath || fs.bad && (path != "" && off != 0) {
					t.Fatalf("%q %d", path, off)
				}
				continue
			}
			if n := len(a.packet); n < 9 || n > maxPacket || int(a.packet[0])<<24|int(a.packet[1])<<16|int(a.packet[2])<<8|int(a.packet[3]) != n-4 {
				t.Fatalf("an answer of %d bytes: %x", n, a.packet)
			}
		}
	})
}
