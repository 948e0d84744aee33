package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

func newKey() *Key {
	k := &Key{secret: new([KeySize]byte), random: rand.Reader}
	rand.Read(k.secret[:])
	return k
}

func TestSealedDataOpensOnlyWithItsKeyAndPlace(t *testing.T) {
	k := newKey()
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("ä"), 5000)} {
		sealed := k.Seal(plain, []byte("person/1"))
		if len(sealed) != len(plain)+sealOverhead || sealed[0] != sealVersion {
			t.Fatalf("%d bytes were sealed to %d, version %d", len(plain), len(sealed), sealed[0])
		}
		got, err := k.Open(sealed, []byte("person/1"))
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %d of %d bytes, %v", len(got), len(plain), err)
		}
		if _, err := k.Open(sealed, []byte("person/2")); err == nil {
			t.Error("opens in another place")
		}
		if _, err := newKey().Open(sealed, []byte("person/1")); err == nil {
			t.Error("opens with another key")
		}
		if len(sealed) > 200 {
			continue
		}
		for i := range sealed {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1
			if _, err := k.Open(bad, []byte("person/1")); err == nil {
				t.Errorf("opens with byte %d altered", i)
			}
			if _, err := k.Open(sealed[:i], []byte("person/1")); err == nil {
				t.Errorf("opens cut to %d bytes", i)
			}
		}
	}
}

func TestTheSameDataIsNeverSealedTheSame(t *testing.T) {
	k := newKey()
	if bytes.Equal(k.Seal([]byte("x"), nil), k.Seal([]byte("x"), nil)) {
		t.Fatal("two seals are equal")
	}
}

func TestInjectedRandomnessMakesSealsRepeatable(t *testing.T) {
	k := &Key{secret: new([KeySize]byte), random: bytes.NewReader(make([]byte, 2*nonceSize))}
	if !bytes.Equal(k.Seal([]byte("x"), nil), k.Seal([]byte("x"), nil)) {
		t.Fatal("the randomness was taken from somewhere else")
	}
}

func sealFile(t testing.TB, k *Key, plain []byte, aad string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := k.Writer(&b, []byte(aad))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(plain))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openFileBytes(k *Key, sealed []byte, aad string) ([]byte, error) {
	r, err := k.Reader(bytes.NewReader(sealed), []byte(aad))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestASealedFileHasTheSizeThatWasForetold(t *testing.T) {
	k := newKey()
	first := segmentPlain - streamHeader
	for _, n := range []int{0, 1, first - 1, first, first + 1, first + segmentPlain, first + segmentPlain + 1, 20*segmentPlain + 7} {
		plain := make([]byte, n)
		rand.Read(plain)
		sealed := sealFile(t, k, plain, "scan.png")
		if int64(len(sealed)) != SealedSize(int64(n)) {
			t.Errorf("%d bytes were sealed to %d, foretold were %d", n, len(sealed), SealedSize(int64(n)))
		}
		got, err := openFileBytes(k, sealed, "scan.png")
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("of %d bytes %d came back, %v", n, len(got), err)
		}
	}
	if SealedSize(-1) != -1 || SealedSize(maxStreamSize+1) != -1 {
		t.Error("an impossible size is foretold")
	}
}

func TestADamagedFileNeverEndsWell(t *testing.T) {
	k := newKey()
	plain := make([]byte, 3*segmentPlain)
	sealed := sealFile(t, k, plain, "a")
	damaged := map[string][]byte{
		"nothing":                nil,
		"version only":           sealed[:1],
		"header only":            sealed[:streamHeader],
		"cut at a segment's end": sealed[:2*segmentSize],
		"cut inside":             sealed[:segmentSize+5],
		"last byte missing":      sealed[:len(sealed)-1],
		"one byte more":          append(bytes.Clone(sealed), 0),
		"itself again":           append(bytes.Clone(sealed), sealed...),
		"segments swapped": bytes.Join([][]byte{
			sealed[:segmentSize], sealed[2*segmentSize : 3*segmentSize], sealed[segmentSize : 2*segmentSize], sealed[3*segmentSize:],
		}, nil),
	}
	for _, at := range []int{0, 1, 2, 40, 60, segmentSize, len(sealed) - 1} {
		b := bytes.Clone(sealed)
		b[at] ^= 0x80
		damaged[fmt.Sprintf("byte %d altered", at)] = b
	}
	for name, b := range damaged {
		got, err := openFileBytes(k, b, "a")
		if err == nil {
			t.Errorf("%s: reads to the end", name)
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s: the error could be taken for the end: %v", name, err)
		}
		if !bytes.HasPrefix(plain, got) {
			t.Errorf("%s: other bytes than those sealed came out", name)
		}
	}
	if _, err := openFileBytes(k, sealed, "b"); err == nil {
		t.Error("opens as another file")
	}
	if _, err := openFileBytes(newKey(), sealed, "a"); err == nil {
		t.Error("opens with another key")
	}
	r, err := k.Reader(bytes.NewReader(damaged["byte 65536 altered"]), []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	_, first := io.ReadAll(r)
	if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF || !errors.Is(err, first) {
		t.Errorf("after %v the reader goes on with %v", first, err)
	}
}

// failing lets some bytes through and then refuses for one call.
type failing struct {
	bytes.Buffer
	room int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room < len(p) {
		f.room = 1 << 30
		return 0, errors.New("disk full")
	}
	f.room -= len(p)
	return f.Buffer.Write(p)
}

func TestAfterAFailedWriteHalfAFileNeverLooksWhole(t *testing.T) {
	k := newKey()
	f := &failing{room: segmentSize + 10}
	w, err := k.Writer(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3*segmentSize)); err == nil {
		t.Fatal("nothing failed")
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("writing goes on")
	}
	if err := w.Close(); err == nil {
		t.Error("Close says that all is well")
	}
	if _, err := openFileBytes(k, f.Bytes(), ""); err == nil {
		t.Error("what was written reads to an end")
	}
}

func FuzzOpen(f *testing.F) {
	k := &Key{secret: new([KeySize]byte), random: rand.Reader}
	f.Add(k.Seal([]byte("x"), nil), []byte(nil))
	f.Add(sealFile(f, k, make([]byte, 10), ""), []byte(nil))
	f.Add([]byte{1}, []byte("a"))
	f.Fuzz(func(t *testing.T, sealed, aad []byte) {
		if plain, err := k.Open(sealed, aad); err == nil && len(plain) != len(sealed)-sealOverhead {
			t.Errorf("%d bytes opened to %d", len(sealed), len(plain))
		}
		if plain, err := openFileBytes(k, sealed, string(aad)); err == nil && SealedSize(int64(len(plain))) != int64(len(sealed)) {
			t.Errorf("%d bytes opened to %d", len(sealed), len(plain))
		}
	})
}
