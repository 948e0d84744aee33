package result

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var modified = time.Date(2026, 11, 23, 9, 41, 7, 5, time.UTC)

// packed returns an archive of these contents, and how to open them.
func packed(contents map[string]string, names ...string) (Archive, func(string) (io.ReadCloser, error)) {
	a := Archive{Modified: modified}
	for _, name := range names {
		a.Members = append(a.Members, Member{Name: name, Size: int64(len(contents[name])), CRC32: crc32.ChecksumIEEE([]byte(contents[name]))})
	}
	return a, func(name string) (io.ReadCloser, error) {
		c, ok := contents[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(c)), nil
	}
}

var contents = map[string]string{"T.json": `{"identifications":[]}`, "T.xml": "", "Grüße.pdf": strings.Repeat("%PDF", 50_000)}

func written(t *testing.T) []byte {
	t.Helper()
	a, open := packed(contents, "T.json", "T.xml", "Grüße.pdf")
	var b bytes.Buffer
	if err := a.Write(&b, open); err != nil {
		t.Fatal(err)
	}
	if a.Size() != int64(b.Len()) {
		t.Errorf("Size is %d, %d bytes were written", a.Size(), b.Len())
	}
	return b.Bytes()
}

func TestOthersReadTheArchive(t *testing.T) {
	b := written(t)
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range r.File {
		c, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(c)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		got[f.Name] = string(content)
		if f.Method != zip.Store || f.Flags != utf8Name || !f.Modified.Equal(modified.Truncate(time.Second)) || f.Mode() != 0o644 {
			t.Errorf("%s: method %d, flags %x, modified %s, mode %s", f.Name, f.Method, f.Flags, f.Modified, f.Mode())
		}
	}
	if diff := cmp.Diff(contents, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnzipFindsNoFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "T.zip")
	if err := os.WriteFile(path, written(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"unzip", "-t", path}, {"7z", "t", path}} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("%s is not installed", command[0])
			continue
		}
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", command, err, out)
		}
	}
}

func TestTheBytesAreAlwaysTheSame(t *testing.T) {
	first := written(t)
	a, open := packed(contents, "T.json", "T.xml", "Grüße.pdf")
	stored, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var again Archive
	if err := json.Unmarshal(stored, &again); err != nil {
		t.Fatal(err)
	}
	again.Modified = again.Modified.In(time.FixedZone("elsewhere", -3600))
	var b bytes.Buffer
	if err := again.Write(&b, open); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, b.Bytes()) {
		t.Error("a stored archive writes other bytes")
	}
	// Clients may have these bytes already: a change here is a change for them.
	if got, want := crc32.ChecksumIEEE(first), uint32(goldenCRC); got != want {
		t.Errorf("the bytes have the CRC %#x, always had %#x", got, want)
	}
}

func TestContentThatDiffersIsRefused(t *testing.T) {
	for name, other := range map[string]string{"shorter": "abc", "longer": "abcdef", "another": "abcdx", "empty": ""} {
		a, _ := packed(map[string]string{"T.pdf": "abcde"}, "T.pdf")
		_, open := packed(map[string]string{"T.pdf": other})
		if err := a.Write(io.Discard, open); !errors.Is(err, errDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, open := packed(contents, "T.json")
	a.Members[0].Name = "gone"
	if err := a.Write(io.Discard, open); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestMembersNeedNamesOfTheirOwn(t *testing.T) {
	for _, names := range [][]string{{""}, {"T.json", "T.json"}, {strings.Repeat("x", maxName+1)}} {
		a, open := packed(contents, names...)
		var b bytes.Buffer
		if err := a.Write(&b, open); err == nil || b.Len() > 0 {
			t.Errorf("%.20q: %v after %d bytes", names, err, b.Len())
		}
	}
}

func TestAnEmptyArchiveAndOneWithoutATimeAreArchives(t *testing.T) {
	for _, a := range []Archive{{}, {Modified: time.Unix(1<<33, 0)}, {Members: []Member{{Name: "a"}}}} {
		var b bytes.Buffer
		open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
		if err := a.Write(&b, open); err != nil || int64(b.Len()) != a.Size() {
			t.Errorf("%v: %v, %d bytes, Size %d", a, err, b.Len(), a.Size())
		}
		if r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil || len(r.File) != len(a.Members) {
			t.Errorf("%v: %v", a, err)
		}
	}
}

func TestMoreMembersThanTheOldFormatCounts(t *testing.T) {
	var a Archive
	for i := range 70_000 {
		a.Members = append(a.Members, Member{Name: fmt.Sprint(i)})
	}
	var b bytes.Buffer
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
	if err := a.Write(&b, open); err != nil || int64(b.Len()) != a.Size() {
		t.Fatalf("%v, %d bytes, Size %d", err, b.Len(), a.Size())
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(r.File) != 70_000 {
		t.Fatalf("%v", err)
	}
}

// hollow is an archive as a reader sees it that never looks at the content: the headers
// stand where they are, everything else is zero.
type hollow struct {
	parts map[int64][]byte
	size  int64
}

func (h hollow) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	for at, part := range h.parts {
		if at < off+int64(len(p)) && off < at+int64(len(part)) {
			if at >= off {
				copy(p[at-off:], part)
			} else {
				copy(p, part[off-at:])
			}
		}
	}
	if left := h.size - off; left < int64(len(p)) {
		return int(max(left, 0)), io.EOF
	}
	return len(p), nil
}

func TestBeyondFourGiBAllNumbersAreWide(t *testing.T) {
	a := Archive{Modified: modified, Members: []Member{
		{Name: "small", Size: 3}, {Name: "huge.mp4", Size: 5 << 30}, {Name: "exact", Size: 1<<32 - 1}, {Name: "last", Size: 7},
	}}
	h := hollow{parts: map[int64][]byte{}, size: a.Size()}
	end := a.each(func(m Member, offset int64) { h.parts[offset] = a.localHeader(m) })
	h.parts[end] = a.directory()
	if got := end + int64(len(a.directory())); got != a.Size() {
		t.Errorf("Size is %d, want %d", a.Size(), got)
	}
	r, err := zip.NewReader(h, a.Size())
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[string]int64{}
	a.each(func(m Member, offset int64) { offsets[m.Name] = offset + a.localSize(m) })
	for i, f := range r.File {
		m := a.Members[i]
		at, err := f.DataOffset()
		if err != nil || f.Name != m.Name || f.UncompressedSize64 != uint64(m.Size) || at != offsets[m.Name] {
			t.Errorf("%s: %v, name %s, size %d, content at %d, want %d", m.Name, err, f.Name, f.UncompressedSize64, at, offsets[m.Name])
		}
	}
}

const goldenCRC = 0x1be3b41f
