package file

import (
	"bytes"
	"errors"
	"fmt"

	"vidimus/internal/domain/fault"
)

// MaxSize is the most bytes that a file may have.
const MaxSize = 64 << 20

// Bounds of what is read of one file.
const (
	maxSections = 1000    // cross-reference sections
	maxObjects  = 1 << 20 // numbers of objects
	maxChain    = 32      // references to references
	maxEntries  = 4 << 20 // in all sections together
	maxParsed   = 4 << 20 // values, in all objects that are read
)

// entry says where an object lies: at offset at, or as number index in the object stream with
// the number stream.
type entry struct {
	at            int
	stream, index int
	gen           int
	free          bool
	section       int // that said so
}

// File is a file that was read. It is not safe for use by several goroutines at once.
type File struct {
	Trailer Dict // of the last section

	data     []byte
	base     int // offsets count from here: where the header stands
	xref     map[int]entry
	size     int // one more than the highest number
	last     int // offset of the last section
	streams  bool
	repaired bool
	broken   bool // an object was not where it should be
	objects  map[int]Object
	packed   map[int]*packed
	inflated int // bytes, of all streams
	reading  map[int]bool
	section  int  // that is being read
	hybrid   bool // it is the stream beside a table
	budget   budget
	entries  int // that cross-reference sections have
	// where the last search for an endstream began and what it found; -1: none
	searched, found int
}

// Damaged is the fault of a file that cannot be read; the reason may be read by a company.
func Damaged(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "The PDF is damaged: %s", fmt.Sprintf(format, args...))
}

// Encrypted is the fault of a file that is.
func Encrypted() *fault.Error {
	return fault.New(fault.Invalid, "The PDF is encrypted: remove its password and its protection, and send it again")
}

// Open reads a file of at most MaxSize bytes, which must not be changed afterwards. One whose
// cross-reference table is broken is searched for its objects. fault.Invalid, with a reason
// that a company can read, for what is no PDF, is encrypted, or cannot be read even so;
// fault.TooLarge.
func Open(data []byte) (*File, error) {
	if len(data) > MaxSize {
		return nil, fault.New(fault.TooLarge, "A PDF has at most %d bytes", MaxSize)
	}
	base := bytes.Index(data[:min(len(data), 1024)], []byte("%PDF-"))
	if base < 0 {
		return nil, fault.New(fault.Invalid, "The file is no PDF")
	}
	var first error
	for _, from := range []int{0, base} { // some count from the header, some from the first byte
		f := &File{data: data, base: from}
		f.reset()
		if first = f.readSections(); first == nil {
			if first = f.sound(); first == nil && !f.broken {
				return f, nil
			}
		}
		if fault.Is(first, fault.Invalid) {
			return nil, first // encrypted
		}
		if base == 0 {
			break
		}
	}
	f := &File{data: data}
	f.reset()
	if err := f.repair(); err != nil {
		return nil, err
	}
	if err := f.sound(); err != nil {
		if fault.Is(err, fault.Invalid) {
			return nil, err
		}
		return nil, Damaged("%v", err)
	}
	return f, nil
}

func (f *File) reset() {
	f.xref, f.objects, f.packed, f.reading = map[int]entry{}, map[int]Object{}, map[int]*packed{}, map[int]bool{}
	f.Trailer, f.size, f.streams, f.section, f.entries = nil, 0, false, 0, 0
	f.budget = budget{bytes: 4*len(f.data) + maxAllInflated, objects: maxParsed}
	f.searched, f.found = 0, 0
}

// sound says whether catalog and pages can be read.
func (f *File) sound() error {
	if f.Trailer["Encrypt"] != nil {
		return Encrypted()
	}
	if _, ok := f.Trailer["Root"].(Ref); !ok || f.Catalog() == nil { // one that is no object of its own could not be replaced
		return errors.New("it has no catalog")
	}
	n, err := f.Pages()
	switch {
	case err != nil:
		return err
	case n == 0:
		return errors.New("it has no pages")
	}
	return nil
}

// Repaired says whether the cross-reference table was broken.
func (f *File) Repaired() bool { return f.repaired }

// Data returns the bytes of the file.
func (f *File) Data() []byte { return f.data }

// readSections follows the cross-reference sections from the last one on.
func (f *File) readSections() error {
	tail := f.data[max(0, len(f.data)-2048):]
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return errors.New("no startxref")
	}
	l := &lexer{data: tail, pos: i + len("startxref")}
	at, ok := l.integer()
	if !ok {
		return errors.New("startxref says nothing")
	}
	f.last = at
	seen := map[int]bool{}
	for n := 0; ; n++ {
		if n >= maxSections || seen[at] {
			return errors.New("the cross-reference sections go in a circle")
		}
		seen[at] = true
		f.section = n
		trailer, err := f.readSection(at+f.base, n == 0)
		if err != nil {
			return err
		}
		if f.Trailer == nil {
			f.Trailer = trailer
		}
		if trailer["Encrypt"] != nil {
			return Encrypted()
		}
		if hybrid, ok := trailer["XRefStm"].(Number); ok {
			if v, ok := hybrid.Int(); ok && !seen[v] {
				seen[v] = true
				f.hybrid = true
				_, err := f.readStreamSection(v + f.base)
				f.hybrid = false
				if err != nil {
					return err
				}
			}
		}
		prev, ok := trailer["Prev"].(Number)
		if !ok {
			return nil
		}
		if at, ok = prev.Int(); !ok {
			return errors.New("Prev is no offset")
		}
	}
}

func (f *File) readSection(at int, newest bool) (Dict, error) {
	if at < 0 || at >= len(f.data) {
		return nil, errors.New("a cross-reference section lies outside of the file")
	}
	l := &lexer{data: f.data, pos: at}
	if !l.keyword("xref") {
		if newest {
			f.streams = true
		}
		return f.readStreamSection(at)
	}
	for {
		first, ok := l.integer()
		if !ok {
			break
		}
		count, ok := l.integer()
		if !ok || first+count > maxObjects {
			return nil, errors.New("a cross-reference table has a wrong part")
		}
		for num := first; num < first+count; num++ {
			offset, ok1 := l.integer()
			gen, ok2 := l.integer()
			l.space()
			kind := string(l.word())
			l.pos += len(kind)
			if !ok1 || !ok2 || kind != "n" && kind != "f" {
				return nil, errors.New("a cross-reference table has a wrong entry")
			}
			if err := f.enter(num, entry{at: offset, gen: gen, free: kind == "f"}); err != nil {
				return nil, err
			}
		}
	}
	if !l.keyword("trailer") {
		return nil, errors.New("a cross-reference table without a trailer")
	}
	o, err := l.object(0)
	if err != nil {
		return nil, err
	}
	d, ok := o.(Dict)
	if !ok {
		return nil, errors.New("a trailer is no dictionary")
	}
	f.grow(d)
	return d, nil
}

// enter notes where an object lies, unless a later section has said so. The table of a
// hybrid file calls free what the stream beside it holds (7.5.8.4).
func (f *File) enter(num int, e entry) error {
	if f.entries++; f.entries > maxEntries {
		return errors.New("its cross-reference sections have too many entries")
	}
	e.section = f.section
	old, known := f.xref[num]
	if !known || f.hybrid && old.free && old.section == f.section {
		f.xref[num] = e
	}
	f.size = max(f.size, num+1)
	return nil
}

func (f *File) grow(trailer Dict) {
	if n, ok := trailer["Size"].(Number); ok {
		if v, ok := n.Int(); ok && v <= maxObjects {
			f.size = max(f.size, v)
		}
	}
}

// readStreamSection reads a cross-reference stream (7.5.8).
func (f *File) readStreamSection(at int) (Dict, error) {
	_, o, err := f.readObject(at)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*Stream)
	if !ok || s.Dict["Type"] != Name("XRef") {
		return nil, errors.New("no cross-reference section where one should be")
	}
	if s.Dict["Encrypt"] != nil {
		return nil, Encrypted()
	}
	f.grow(s.Dict)
	widths, _ := s.Dict["W"].(Array)
	var w [3]int
	if len(widths) != 3 {
		return nil, errors.New("a cross-reference stream without widths")
	}
	for i := range w {
		n, _ := widths[i].(Number)
		v, ok := n.Int()
		if !ok || v < 0 || v > 8 {
			return nil, errors.New("a cross-reference stream with wrong widths")
		}
		w[i] = v
	}
	if w[0]+w[1]+w[2] == 0 {
		return nil, errors.New("a cross-reference stream with wrong widths")
	}
	content, err := f.decode(s)
	if err != nil {
		return nil, err
	}
	index, ok := s.Dict["Index"].(Array)
	if !ok {
		index = Array{Number("0"), s.Dict["Size"]}
	}
	return s.Dict, f.readEntries(content, w, index)
}

func (f *File) readEntries(content []byte, w [3]int, index Array) error {
	number := func(n int) int {
		v := 0
		for _, c := range content[:n] {
			v = v<<8 | int(c)
		}
		content = content[n:]
		return v
	}
	for i := 0; i+1 < len(index); i += 2 {
		a, _ := index[i].(Number)
		b, _ := index[i+1].(Number)
		first, ok1 := a.Int()
		count, ok2 := b.Int()
		if !ok1 || !ok2 || first < 0 || count < 0 || first+count > maxObjects {
			return errors.New("a cross-reference stream with a wrong index")
		}
		for num := first; num < first+count; num++ {
			if len(content) < w[0]+w[1]+w[2] {
				return errors.New("a cross-reference stream that is too short")
			}
			kind := 1
			if w[0] > 0 {
				kind = number(w[0])
			}
			second, third := number(w[1]), number(w[2])
			var e entry
			switch kind {
			case 0:
				e = entry{free: true, gen: third}
			case 1:
				e = entry{at: second, gen: third}
			case 2:
				e = entry{stream: second, index: third}
			default:
				continue
			}
			if err := f.enter(num, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// readObject reads the object that is defined at an offset.
func (f *File) readObject(at int) (Ref, Object, error) {
	if at < 0 || at >= len(f.data) {
		return Ref{}, nil, errors.New("an object lies outside of the file")
	}
	l := &lexer{data: f.data, pos: at, budget: &f.budget}
	defer func() { f.budget.bytes -= l.pos - at }()
	num, ok1 := l.integer()
	gen, ok2 := l.integer()
	if !ok1 || !ok2 || !l.keyword("obj") {
		return Ref{}, nil, fmt.Errorf("no object at %d", at)
	}
	ref := Ref{num, gen}
	o, err := l.object(0)
	if err != nil {
		return ref, nil, err
	}
	d, ok := o.(Dict)
	if !ok || !l.keyword("stream") {
		return ref, o, nil
	}
	if l.pos < len(l.data) && l.data[l.pos] == '\r' {
		l.pos++
	}
	if l.pos < len(l.data) && l.data[l.pos] == '\n' {
		l.pos++
	}
	raw, err := f.streamData(d, l.pos)
	return ref, &Stream{d, raw}, err
}

// streamData returns the data of a stream that begins there: as long as it says, or, if no
// endstream follows then, up to the next one.
func (f *File) streamData(d Dict, begin int) ([]byte, error) {
	if n, ok := f.Get(d["Length"]).(Number); ok {
		if length, ok := n.Int(); ok && length >= 0 && begin+length <= len(f.data) {
			l := &lexer{data: f.data, pos: begin + length}
			if l.keyword("endstream") {
				return f.data[begin : begin+length], nil
			}
		}
	}
	end := f.endstream(begin)
	if end < 0 {
		return nil, errors.New("a stream without an end")
	}
	raw := f.data[begin:end]
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return bytes.TrimSuffix(raw, []byte("\r")), nil
}

// endstream returns where the next endstream from begin on stands; -1: nowhere. Many streams
// without an end do not have the file searched as many times.
func (f *File) endstream(begin int) int {
	if begin >= f.searched && (f.found < 0 || begin <= f.found) && f.found != 0 {
		return f.found
	}
	f.searched, f.found = begin, -1
	if i := bytes.Index(f.data[begin:], []byte("endstream")); i >= 0 {
		f.found = begin + i
	}
	return f.found
}

// Get follows references to the object itself. What is not there, or cannot be read, is nil.
func (f *File) Get(o Object) Object {
	for range maxChain {
		r, ok := o.(Ref)
		if !ok {
			return o
		}
		o = f.load(r)
	}
	return nil
}

func (f *File) load(r Ref) Object {
	if o, ok := f.objects[r.Num]; ok {
		return o
	}
	e, ok := f.xref[r.Num]
	if !ok || e.free || f.reading[r.Num] {
		return nil
	}
	f.reading[r.Num] = true // a length that refers to its own stream
	defer delete(f.reading, r.Num)
	var o Object
	if e.stream > 0 {
		o = f.unpack(e, r.Num)
	} else {
		found, read, err := f.readObject(e.at + f.base)
		if err != nil || found.Num != r.Num {
			read, f.broken = nil, true
		}
		o = read
	}
	f.objects[r.Num] = o
	return o
}

// Dict is Get for a dictionary, that of a stream too; nil when it is none.
func (f *File) Dict(o Object) Dict {
	switch v := f.Get(o).(type) {
	case Dict:
		return v
	case *Stream:
		return v.Dict
	}
	return nil
}

// Array is Get for an array; nil when it is none.
func (f *File) Array(o Object) Array {
	a, _ := f.Get(o).(Array)
	return a
}

// Name is Get for a name; empty when it is none.
func (f *File) Name(o Object) Name {
	n, _ := f.Get(o).(Name)
	return n
}

// Number is Get for a number; false when it is none.
func (f *File) Number(o Object) (float64, bool) {
	n, ok := f.Get(o).(Number)
	return n.Float(), ok
}

// Catalog returns the root of the document (7.7.2); nil when there is none.
func (f *File) Catalog() Dict { return f.Dict(f.Trailer["Root"]) }
