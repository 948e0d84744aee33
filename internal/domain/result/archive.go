package result

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"
)

// Archive lists what the ZIP of a result holds (8.3.3.1). Its members are stored, not
// deflated, so that its size is arithmetic and its bytes are the same at every time. It
// keeps its content through encoding/json.
type Archive struct {
	Members  []Member
	Modified time.Time // of every member, to the second; zero: 1980
	SHA256   string    // of the whole ZIP, lower-case hex; empty: never computed. Write does not compare it
}

// Member is one file of the ZIP.
type Member struct {
	Name   string
	Size   int64
	CRC32  uint32 // IEEE, as ZIP has it
	SHA256 string // lower-case hex; for the record, Write does not compare it
}

// The format, by APPNOTE.TXT of PKWARE, 6.3. It is written here and not by archive/zip:
// the bytes must not change with the version of a library, and sizes must stand before
// the content, beyond 4 GiB too.
const (
	localSignature   = 0x04034b50
	centralSignature = 0x02014b50
	endSignature     = 0x06054b50
	end64Signature   = 0x06064b50
	locatorSignature = 0x07064b50

	localLength   = 30
	centralLength = 46
	endLength     = 22
	end64Length   = 56
	locatorLength = 20
	stampLength   = 9 // extended time stamp

	version20  = 20 // can be read by 2.0
	version45  = 45 // ZIP64
	madeByUnix = 3 << 8
	utf8Name   = 1 << 11
	fileMode   = 0o100644 << 16
	maxName    = 1024
)

// Size returns the length of the ZIP in bytes, exactly as Write writes it.
func (a Archive) Size() int64 {
	size := a.centralSize() + a.endSize()
	for _, m := range a.Members {
		size += a.localSize(m) + m.Size
	}
	return size
}

// Write writes the ZIP and takes the members' content from open, by name, one after
// another. A member whose content is not what its size and CRC say ends it with an error:
// what was written until then is no ZIP. Members without a name or with one that another
// has are refused before anything is written.
func (a Archive) Write(w io.Writer, open func(name string) (io.ReadCloser, error)) error {
	if err := a.check(); err != nil {
		return err
	}
	for _, m := range a.Members {
		if _, err := w.Write(a.localHeader(m)); err != nil {
			return fmt.Errorf("writing the archive: %w", err)
		}
		if err := copyMember(w, m, open); err != nil {
			return fmt.Errorf("writing %s into the archive: %w", m.Name, err)
		}
	}
	if _, err := w.Write(a.directory()); err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	return nil
}

func (a Archive) check() error {
	seen := make(map[string]bool, len(a.Members))
	for _, m := range a.Members {
		if m.Name == "" || len(m.Name) > maxName || m.Size < 0 || seen[m.Name] {
			return errors.New("a member of the archive has no name of its own or no size")
		}
		seen[m.Name] = true
	}
	return nil
}

var errDiffers = errors.New("the content is not what was recorded")

func copyMember(w io.Writer, m Member, open func(string) (io.ReadCloser, error)) (err error) {
	r, err := open(m.Name)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	sum := crc32.NewIEEE()
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, m.Size))
	if err != nil {
		return err
	}
	if n != m.Size || sum.Sum32() != m.CRC32 {
		return errDiffers
	}
	// Whoever stored more than was recorded stored something else.
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return errDiffers
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// fields appends numbers in the byte order of ZIP.
type fields []byte

func (b *fields) u16(values ...uint16) {
	for _, v := range values {
		*b = binary.LittleEndian.AppendUint16(*b, v)
	}
}

func (b *fields) u32(values ...uint32) {
	for _, v := range values {
		*b = binary.LittleEndian.AppendUint32(*b, v)
	}
}

func (b *fields) u64(values ...uint64) {
	for _, v := range values {
		*b = binary.LittleEndian.AppendUint64(*b, v)
	}
}

// narrow returns what stands in a field of 32 bits: a number too big for it is said in the
// ZIP64 fields.
func narrow(n int64) uint32 { return uint32(min(n, math.MaxUint32)) } //nolint:gosec // bounded; sizes are not negative

func wide(n int64) bool { return n >= math.MaxUint32 }

// extra returns the extra fields of a header: the numbers that are too wide, then the time.
func (a Archive) extra(numbers ...int64) []byte {
	var b fields
	if len(numbers) > 0 {
		b.u16(1, uint16(8*len(numbers))) //nolint:gosec // three numbers at most
		for _, n := range numbers {
			b.u64(uint64(n)) //nolint:gosec // sizes and offsets
		}
	}
	if at, ok := a.unix(); ok {
		b.u16(0x5455, 5)
		b = append(b, 1)
		b.u32(at)
	}
	return b
}

// unix returns the time in seconds as the extended time stamp has it.
func (a Archive) unix() (uint32, bool) {
	at := a.Modified.Unix()
	return uint32(at), !a.Modified.IsZero() && at >= 0 && at <= math.MaxInt32 //nolint:gosec // used only when in bounds
}

// dos returns the time as MS-DOS kept it, in UTC, to two seconds, from 1980 to 2107.
func (a Archive) dos() (clock, date uint16) {
	t := a.Modified.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		return 0, 1<<5 | 1
	}
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)     //nolint:gosec // bounded by the calendar
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()) //nolint:gosec // bounded by the calendar
	return clock, date
}

func (a Archive) localExtra(m Member) []byte {
	if wide(m.Size) {
		return a.extra(m.Size, m.Size)
	}
	return a.extra()
}

func (a Archive) localSize(m Member) int64 {
	return int64(localLength + len(m.Name) + len(a.localExtra(m)))
}

func (a Archive) localHeader(m Member) []byte {
	var b fields
	extra := a.localExtra(m)
	clock, date := a.dos()
	b.u32(localSignature)
	b.u16(neededFor(wide(m.Size)), utf8Name, 0, clock, date)
	b.u32(m.CRC32, narrow(m.Size), narrow(m.Size))
	b.u16(uint16(len(m.Name)), uint16(len(extra))) //nolint:gosec // names are bounded by check
	b = append(b, m.Name...)
	return append(b, extra...)
}

func neededFor(zip64 bool) uint16 {
	if zip64 {
		return version45
	}
	return version20
}

func (a Archive) centralExtra(m Member, offset int64) []byte {
	var numbers []int64
	if wide(m.Size) {
		numbers = append(numbers, m.Size, m.Size)
	}
	if wide(offset) {
		numbers = append(numbers, offset)
	}
	return a.extra(numbers...)
}

// each calls f for every member with the offset of its local header, and returns the
// offset of the directory.
func (a Archive) each(f func(m Member, offset int64)) int64 {
	var offset int64
	for _, m := range a.Members {
		f(m, offset)
		offset += a.localSize(m) + m.Size
	}
	return offset
}

func (a Archive) centralSize() int64 {
	var size int64
	a.each(func(m Member, offset int64) {
		size += int64(centralLength + len(m.Name) + len(a.centralExtra(m, offset)))
	})
	return size
}

// big says whether the end of the ZIP needs its ZIP64 form.
func (a Archive) big() bool {
	start := a.each(func(Member, int64) {})
	return len(a.Members) >= math.MaxUint16 || wide(start) || wide(a.centralSize())
}

func (a Archive) endSize() int64 {
	if a.big() {
		return end64Length + locatorLength + endLength
	}
	return endLength
}

// directory is everything that follows the members.
func (a Archive) directory() []byte {
	var b fields
	clock, date := a.dos()
	start := a.each(func(m Member, offset int64) {
		extra := a.centralExtra(m, offset)
		needed := neededFor(wide(m.Size) || wide(offset))
		b.u32(centralSignature)
		b.u16(madeByUnix|needed, needed, utf8Name, 0, clock, date)
		b.u32(m.CRC32, narrow(m.Size), narrow(m.Size))
		b.u16(uint16(len(m.Name)), uint16(len(extra)), 0, 0, 0) //nolint:gosec // names are bounded by check
		b.u32(fileMode, narrow(offset))
		b = append(b, m.Name...)
		b = append(b, extra...)
	})
	size, count := int64(len(b)), uint64(len(a.Members))
	if a.big() {
		b.u32(end64Signature)
		b.u64(end64Length - 12)
		b.u16(madeByUnix|version45, version45)
		b.u32(0, 0)
		b.u64(count, count, uint64(size), uint64(start)) //nolint:gosec // sizes and offsets
		b.u32(locatorSignature, 0)
		b.u64(uint64(start + size)) //nolint:gosec // sizes and offsets
		b.u32(1)
	}
	short := uint16(min(count, math.MaxUint16))
	b.u32(endSignature)
	b.u16(0, 0, short, short)
	b.u32(narrow(size), narrow(start))
	b.u16(0)
	return b
}
