package seal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
)

// sealBytes returns plain as Writer seals it.
func sealBytes(t testing.TB, k *Key, plain, aad []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := k.Writer(&b, aad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ranges(sealed []byte) func(context.Context, int64, int64) (io.ReadCloser, error) {
	return func(_ context.Context, off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(bytes.NewReader(sealed), off, n)), nil
	}
}

// sizes are those around which something changes: the header, a segment, a block.
func sizes() []int64 {
	var all []int64
	for _, around := range []int64{0, segmentPlain - streamHeader, 2*segmentPlain - streamHeader, blockPlain - streamHeader, 2*blockPlain - streamHeader} {
		for d := int64(-1); d <= 1; d++ {
			if n := around + d; n >= 0 {
				all = append(all, n)
			}
		}
	}
	return append(all, 4*blockPlain+12345)
}

func noise(n int64) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b)
	return b
}

func TestEveryRangeIsWhatTheSequentialReaderReads(t *testing.T) {
	k, aad, ctx := newKey(), []byte("file/1"), t.Context()
	for _, size := range sizes() {
		plain := noise(size)
		sealed := sealBytes(t, k, plain, aad)
		if int64(len(sealed)) != SealedSize(size) {
			t.Fatalf("%d bytes are sealed to %d, not to %d", size, len(sealed), SealedSize(size))
		}
		r, err := k.Reader(bytes.NewReader(sealed), aad)
		if err != nil {
			t.Fatal(err)
		}
		if whole, err := io.ReadAll(r); err != nil || !bytes.Equal(whole, plain) {
			t.Fatalf("%d bytes: the sequential reader differs: %v", size, err)
		}
		at := k.At(size, aad, ranges(sealed))
		whole := make([]byte, size)
		if n, err := at(ctx, whole, 0); err != nil || int64(n) != size || !bytes.Equal(whole, plain) {
			t.Fatalf("%d bytes: read %d, %v", size, n, err)
		}
		for range 200 {
			off, length := rand.Int64N(size+2), rand.Int64N(200_000)
			if edge := rand.Int64N(4); edge == 0 {
				off = max(0, min(size, rand.Int64N(size/segmentPlain+1)*segmentPlain-streamHeader+rand.Int64N(3)-1))
			}
			p := make([]byte, length)
			n, err := at(ctx, p, off)
			want := plain[min(off, size):min(off+length, size)]
			if !bytes.Equal(p[:n], want) {
				t.Fatalf("%d bytes from %d of %d: wrong bytes", length, off, size)
			}
			if short := int64(n) < length; short != errors.Is(err, io.EOF) || !short && err != nil {
				t.Fatalf("%d bytes from %d of %d: %d, %v", length, off, size, n, err)
			}
		}
	}
}

func TestRangesAreReadByManyAtOnce(t *testing.T) {
	k, ctx := newKey(), t.Context()
	plain := noise(5*blockPlain + 99)
	at := k.At(int64(len(plain)), nil, ranges(sealBytes(t, k, plain, nil)))
	var all sync.WaitGroup
	for reader := range 8 {
		all.Go(func() {
			p := make([]byte, 32<<10)
			for off := int64(reader) * 32 << 10; off < int64(len(plain)); off += 8 * 32 << 10 {
				n, err := at(ctx, p, off)
				if err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], plain[off:off+int64(n)]) {
					t.Errorf("from %d: %d, %v", off, n, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestARangeOfWhatWasAlteredFails(t *testing.T) {
	k, aad, ctx := newKey(), []byte("file/1"), t.Context()
	plain := noise(3*segmentPlain + 1000)
	size := int64(len(plain))
	sealed := sealBytes(t, k, plain, aad)
	last := func(b []byte, size int64) error {
		_, err := k.At(size, aad, ranges(b))(ctx, make([]byte, 1), size-1)
		return err
	}
	if err := last(sealed, size); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 2, 40, 41, 100, segmentSize, 2*segmentSize - 1, len(sealed) - 1} {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.At(size, aad, ranges(bad))(ctx, make([]byte, size), 0); err == nil {
			t.Errorf("reads with byte %d altered", i)
		}
	}
	swapped := bytes.Clone(sealed)
	copy(swapped[segmentSize:], sealed[2*segmentSize:3*segmentSize])
	if _, err := k.At(size, aad, ranges(swapped))(ctx, make([]byte, 1), 2*segmentPlain); err == nil {
		t.Error("reads a segment in the place of another")
	}
	if last(sealed[:len(sealed)-1], size) == nil || last(sealed[:3*segmentSize], size) == nil {
		t.Error("reads a file that was cut")
	}
	if shorter := int64(3*segmentPlain - streamHeader); last(sealed[:3*segmentSize], shorter) == nil {
		t.Error("reads a file that was cut at a segment, though the size fits")
	}
	if longer := sealBytes(t, k, append(bytes.Clone(plain), plain...), aad); last(longer, size) == nil {
		t.Error("reads a file that goes on")
	}
	if _, err := k.At(size, []byte("file/2"), ranges(sealed))(ctx, make([]byte, 1), 0); err == nil {
		t.Error("reads in another place")
	}
	if _, err := newKey().At(size, aad, ranges(sealed))(ctx, make([]byte, 1), 0); err == nil {
		t.Error("reads with another key")
	}
	if _, err := k.At(size, aad, ranges(sealed))(ctx, make([]byte, 1), -1); err == nil {
		t.Error("reads before the beginning")
	}
}

func TestARangeCanBeReadAgainAfterAFailure(t *testing.T) {
	k, ctx := newKey(), t.Context()
	plain := noise(1000)
	sealed := ranges(sealBytes(t, k, plain, nil))
	broken := true
	at := k.At(1000, nil, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		if broken {
			return nil, errors.New("the disk is away")
		}
		return sealed(ctx, off, n)
	})
	p := make([]byte, 1000)
	if _, err := at(ctx, p, 0); err == nil {
		t.Fatal("reads from a disk that is away")
	}
	broken = false
	if _, err := at(ctx, p, 0); err != nil || !bytes.Equal(p, plain) {
		t.Fatal(err)
	}
}

// FuzzRangeOfAFile compares ranges with the sequential reader, of files that are sealed by
// us and of those that somebody changed.
func FuzzRangeOfAFile(f *testing.F) {
	f.Add(uint32(100), uint32(0), uint16(100), uint32(0), byte(0))
	f.Add(uint32(segmentPlain-streamHeader), uint32(segmentPlain-streamHeader-1), uint16(2), uint32(segmentSize-1), byte(1))
	f.Add(uint32(blockPlain), uint32(blockPlain-streamHeader-5), uint16(60000), uint32(5), byte(128))
	k := newKey()
	f.Fuzz(func(t *testing.T, size, off uint32, length uint16, where uint32, flip byte) {
		size %= blockPlain + 2*segmentPlain
		plain := noise(int64(size))
		sealed := sealBytes(t, k, plain, nil)
		sealed[int(where)%len(sealed)] ^= flip
		p := make([]byte, length)
		n, err := k.At(int64(size), nil, ranges(sealed))(t.Context(), p, int64(off))
		from := min(int64(off), int64(size))
		if !bytes.Equal(p[:n], plain[from:from+int64(n)]) {
			t.Fatal("bytes that were not sealed came out")
		}
		if flip == 0 && err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	})
}
