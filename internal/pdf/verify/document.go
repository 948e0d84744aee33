package verify

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// entry is where an object is: at an offset, or in an object stream.
type entry struct {
	free     bool
	at       int // offset; of one in a stream, its place there
	gen      int
	inStream int // number of the object stream; 0: none
}

// document is a file, or the beginning of one that ends where a revision ends. It is read
// as it says that it is to be read, and never repaired: two readers must not see two
// documents in one file.
type document struct {
	data     []byte
	shift    int   // how far the header stands from the beginning
	sections []int // offsets of the cross-reference sections, the newest first
	entries  map[int]entry
	trailer  dict
	cache    map[int]any
	failed   map[int]error // objects that could not be read
	streams  map[int]*objectStream
	budget   *budget
}

type objectStream struct {
	data    []byte
	numbers []int
	offsets []int
}

const maxSections = 1024

var errHeader = errors.New("it is not a PDF")

// open reads the cross-reference sections of a document, beginning with what its last
// startxref names.
func open(data []byte, b *budget) (*document, error) {
	head := bytes.Index(data[:min(len(data), 1024)], []byte("%PDF-"))
	if head < 0 {
		return nil, errHeader
	}
	d := &document{data: data, shift: head, entries: map[int]entry{}, cache: map[int]any{}, failed: map[int]error{}, streams: map[int]*objectStream{}, budget: b}
	tail := max(0, len(data)-2048)
	at := bytes.LastIndex(data[tail:], []byte("startxref"))
	if at < 0 {
		return nil, fmt.Errorf("%w: it does not end with startxref", errSyntax)
	}
	l := &lexer{b: data, at: tail + at + len("startxref"), budget: b}
	start, ok := l.integer()
	if !ok {
		return nil, fmt.Errorf("%w: its startxref names no place", errSyntax)
	}
	if err := d.chain(start); err != nil {
		return nil, err
	}
	return d, nil
}

// chain reads a section and those before it.
func (d *document) chain(start int) error {
	for next := start; ; {
		if len(d.sections) == maxSections {
			return errMuch
		}
		if slices.Contains(d.sections, next) {
			return fmt.Errorf("%w: its cross-reference sections form a circle", errSyntax)
		}
		d.sections = append(d.sections, next)
		trailer, err := d.section(next)
		if err != nil {
			return err
		}
		if d.trailer == nil {
			d.trailer = trailer
		}
		prev, ok := trailer["Prev"]
		if !ok {
			return nil
		}
		if next, ok = prev.(int); !ok {
			return fmt.Errorf("%w: a cross-reference section names no place for the one before it", errSyntax)
		}
	}
}

// section reads a table, or a stream, and returns its trailer.
func (d *document) section(offset int) (dict, error) {
	at := offset + d.shift
	if offset < 0 || at >= len(d.data) {
		return nil, fmt.Errorf("%w: a cross-reference section would stand outside", errSyntax)
	}
	l := &lexer{b: d.data, at: at, budget: d.budget}
	if l.keyword("xref") {
		return d.table(l)
	}
	_, v, err := d.objectAt(at, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: there is no cross-reference section at byte %d", errSyntax, offset)
	}
	s, ok := v.(*stream)
	if !ok || s.dict["Type"] != name("XRef") {
		return nil, fmt.Errorf("%w: there is no cross-reference section at byte %d", errSyntax, offset)
	}
	return s.dict, d.xrefStream(s)
}

var errTable = fmt.Errorf("%w: a cross-reference table is malformed", errSyntax)

// table reads a table. What it calls free may stand in the stream that it has beside it, for
// readers that know streams.
func (d *document) table(l *lexer) (dict, error) {
	var free []int
	for !l.keyword("trailer") {
		first, ok1 := l.integer()
		count, ok2 := l.integer()
		if !ok1 || !ok2 {
			return nil, errTable
		}
		for i := range count {
			at, ok1 := l.integer()
			gen, ok2 := l.integer()
			l.space()
			kind := l.word()
			if !ok1 || !ok2 || kind != "n" && kind != "f" {
				return nil, errTable
			}
			if kind == "f" {
				free = append(free, first+i)
			} else if err := d.add(first+i, entry{at: at, gen: gen}); err != nil {
				return nil, err
			}
			if err := d.budget.token(); err != nil {
				return nil, err
			}
		}
	}
	v, err := l.value(0)
	if err != nil {
		return nil, err
	}
	trailer, ok := v.(dict)
	if !ok {
		return nil, errTable
	}
	if named, ok := trailer["XRefStm"]; ok {
		beside, isPlace := named.(int)
		_, v, err := d.objectAt(beside+d.shift, nil)
		s, ok := v.(*stream)
		if err != nil || !ok || !isPlace {
			return nil, errTable
		}
		if err := d.xrefStream(s); err != nil {
			return nil, err
		}
	}
	for _, num := range free {
		if err := d.add(num, entry{free: true}); err != nil {
			return nil, err
		}
	}
	return trailer, nil
}

// add notes where an object is, unless a newer section has said so.
func (d *document) add(num int, e entry) error {
	if err := d.budget.token(); err != nil {
		return err
	}
	if num < 0 || num > maxObjects {
		return errMuch
	}
	if _, ok := d.entries[num]; !ok {
		d.entries[num] = e
	}
	return nil
}

func (d *document) xrefStream(s *stream) error {
	data, err := d.decode(s)
	if err != nil {
		return err
	}
	var width [3]int
	w, _ := s.dict["W"].(array)
	for i := range width {
		if len(w) != 3 {
			return errTable
		}
		n, ok := w[i].(int)
		if !ok || n < 0 || n > 8 {
			return errTable
		}
		width[i] = n
	}
	size, _ := s.dict["Size"].(int)
	index := array{0, size}
	if given, ok := s.dict["Index"].(array); ok {
		index = given
	}
	row := width[0] + width[1] + width[2]
	for i := 0; i+1 < len(index); i += 2 {
		first, ok1 := index[i].(int)
		count, ok2 := index[i+1].(int)
		if !ok1 || !ok2 || row == 0 || count < 0 || count > len(data)/row {
			return errTable
		}
		for n := range count {
			if err := d.addRow(first+n, data[n*row:(n+1)*row], width); err != nil {
				return err
			}
		}
		data = data[count*row:]
	}
	return nil
}

func (d *document) addRow(num int, row []byte, width [3]int) error {
	take := func(n, missing int) int {
		if n == 0 {
			return missing
		}
		v := 0
		for _, c := range row[:n] {
			v = v<<8 | int(c)
		}
		row = row[n:]
		return min(max(v, -1), maxNumber) // such a place is outside
	}
	kind, second, third := take(width[0], 1), take(width[1], 0), take(width[2], 0)
	switch kind {
	case 0:
		return d.add(num, entry{free: true, gen: third})
	case 1:
		return d.add(num, entry{at: second, gen: third})
	case 2:
		if second <= 0 {
			return errTable
		}
		return d.add(num, entry{inStream: second, at: third})
	}
	return d.add(num, entry{free: true}) // a kind of the future is null
}

// objectAt reads "7 0 obj …" at a place of the file. Lengths of streams are looked up in d,
// unless it is the cross-reference itself that is read.
func (d *document) objectAt(at int, in *document) (ref, any, error) {
	if at < 0 || at >= len(d.data) {
		return ref{}, nil, errCut
	}
	l := &lexer{b: d.data, at: at, budget: d.budget}
	num, ok1 := l.integer()
	gen, ok2 := l.integer()
	if !ok1 || !ok2 || !l.keyword("obj") {
		return ref{}, nil, l.fault()
	}
	v, err := l.value(0)
	if errors.Is(err, errSyntax) {
		err = l.fault()
	}
	if err != nil {
		return ref{}, nil, err
	}
	head, isDict := v.(dict)
	if !isDict || !l.keyword("stream") {
		return ref{num, gen}, v, nil
	}
	if l.at < len(l.b) && l.b[l.at] == '\r' {
		l.at++
	}
	if l.at < len(l.b) && l.b[l.at] == '\n' {
		l.at++
	}
	raw, err := d.body(l.at, head["Length"], in)
	return ref{num, gen}, &stream{dict: head, raw: raw, at: l.at}, err
}

// body is the bytes of a stream; where the length is wrong, up to the first endstream.
func (d *document) body(at int, length any, in *document) ([]byte, error) {
	if r, ok := length.(ref); ok && in != nil {
		var err error
		if e := in.entries[r.num]; e.inStream == 0 { // else reading it could need what is read here
			if length, err = in.get(r); err != nil {
				return nil, err
			}
		}
	}
	if n, ok := length.(int); ok && n >= 0 && n <= len(d.data)-at {
		l := &lexer{b: d.data, at: at + n, budget: d.budget}
		if l.keyword("endstream") {
			return d.data[at : at+n], nil
		}
	}
	end := bytes.Index(d.data[at:], []byte("endstream"))
	if end < 0 {
		return nil, errCut
	}
	return d.data[at : at+end], nil
}

// open says whether an object that was read, or could not be, may become another one by bytes
// that are appended: it stands behind the end, or runs over it.
func (d *document) open(num int, err error) (bool, error) {
	if e := d.entries[num]; e.inStream != 0 && e.inStream != num {
		if d.entries[e.inStream].inStream != 0 {
			return false, nil // nobody reads that
		}
		num = e.inStream
		_, err = d.get(ref{num: num})
	}
	if err != nil {
		return errors.Is(err, errCut), nil
	}
	s, ok := d.cache[num].(*stream)
	if !ok {
		return false, nil
	}
	length, err := d.resolve(s.dict["Length"])
	if fatal(err) {
		return false, err
	}
	n, _ := length.(int)
	return errors.Is(err, errCut) || n > len(d.data)-s.at, nil
}

// get returns the object that a reference names; one that is not there is nil.
func (d *document) get(r ref) (any, error) {
	if err := d.failed[r.num]; err != nil {
		return nil, err
	}
	if v, ok := d.cache[r.num]; ok {
		return v, nil
	}
	e, ok := d.entries[r.num]
	if !ok || e.free || r.num == 0 {
		return nil, nil
	}
	d.cache[r.num] = nil // an object whose own length is itself
	var v any
	var err error
	if e.inStream != 0 {
		v, err = d.fromStream(r.num, e)
	} else {
		var found ref
		found, v, err = d.objectAt(e.at+d.shift, d)
		if err == nil && found.num != r.num {
			err = errSyntax
		}
	}
	if fatal(err) {
		delete(d.cache, r.num)
		return nil, err
	}
	if err != nil {
		d.failed[r.num] = fmt.Errorf("%w: object %d is not where it should be", err, r.num)
		return nil, d.failed[r.num]
	}
	d.cache[r.num] = v
	return v, nil
}

// resolve follows references.
func (d *document) resolve(v any) (any, error) {
	for range 8 {
		r, ok := v.(ref)
		if !ok {
			return v, nil
		}
		var err error
		if v, err = d.get(r); err != nil {
			return nil, err
		}
	}
	return nil, errSyntax
}

// dictOf resolves a value to a dictionary, that of a stream too; nil when it is none.
func (d *document) dictOf(v any) (dict, error) {
	v, err := d.resolve(v)
	if s, ok := v.(*stream); ok {
		return s.dict, err
	}
	found, _ := v.(dict)
	return found, err
}

func (d *document) arrayOf(v any) (array, error) {
	v, err := d.resolve(v)
	found, _ := v.(array)
	return found, err
}

func (d *document) fromStream(num int, e entry) (any, error) {
	s, err := d.objectStream(e.inStream)
	if err != nil {
		return nil, err
	}
	i := e.at
	if i >= len(s.numbers) || i < 0 || s.numbers[i] != num {
		if i = slices.Index(s.numbers, num); i < 0 {
			return nil, errSyntax
		}
	}
	if s.offsets[i] > len(s.data) {
		return nil, errSyntax
	}
	l := &lexer{b: s.data, at: s.offsets[i], inStream: true, budget: d.budget}
	return l.value(0)
}

func (d *document) objectStream(num int) (*objectStream, error) {
	if s, ok := d.streams[num]; ok {
		return s, nil
	}
	if e := d.entries[num]; e.free || e.inStream != 0 {
		return nil, errSyntax
	}
	v, err := d.get(ref{num: num})
	if err != nil {
		return nil, err
	}
	s, ok := v.(*stream)
	if !ok || s.dict["Type"] != name("ObjStm") {
		return nil, errSyntax
	}
	data, err := d.decode(s)
	if err != nil {
		return nil, err
	}
	n, _ := s.dict["N"].(int)
	first, _ := s.dict["First"].(int)
	if n < 0 || n > maxObjects || first < 0 || first > len(data) {
		return nil, errSyntax
	}
	out := &objectStream{data: data}
	l := &lexer{b: data[:first], budget: d.budget}
	for range n {
		number, ok1 := l.integer()
		offset, ok2 := l.integer()
		if !ok1 || !ok2 {
			return nil, errSyntax
		}
		out.numbers, out.offsets = append(out.numbers, number), append(out.offsets, first+offset)
	}
	d.streams[num] = out
	return out, nil
}

// decode returns the data of a stream that is not compressed or by Flate; images and the
// like are never decoded here.
func (d *document) decode(s *stream) ([]byte, error) {
	filters, err := d.list(s.dict["Filter"])
	if err != nil {
		return nil, err
	}
	params, err := d.list(s.dict["DecodeParms"])
	if err != nil {
		return nil, err
	}
	data := s.raw
	for i, f := range filters {
		if f != name("FlateDecode") || i > 1 {
			return nil, fmt.Errorf("%w: a stream is packed in a way that is not expected there", errSyntax)
		}
		if data, err = d.inflate(data); err != nil {
			return nil, err
		}
		if i < len(params) {
			p, err := d.dictOf(params[i])
			if err != nil {
				return nil, err
			}
			if data, err = unpredict(data, p); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}

// list is an array, or the one value that stands for it.
func (d *document) list(v any) (array, error) {
	v, err := d.resolve(v)
	if list, ok := v.(array); ok || v == nil {
		return list, err
	}
	return array{v}, err
}

func (d *document) inflate(b []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, errSyntax
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(d.budget.inflate)+1))
	if d.budget.inflate -= len(out); d.budget.inflate < 0 {
		return nil, errMuch
	}
	if err != nil {
		return nil, errSyntax
	}
	return out, nil
}

// unpredict undoes the predictors of PNG, which cross-reference streams are written with.
func unpredict(b []byte, p dict) ([]byte, error) {
	predictor, _ := p["Predictor"].(int)
	if predictor <= 1 {
		return b, nil
	}
	integer := func(key name, missing int) int {
		if n, ok := p[key].(int); ok {
			return n
		}
		return missing
	}
	columns, colors, bits := integer("Columns", 1), integer("Colors", 1), integer("BitsPerComponent", 8)
	if predictor < 10 || colors != 1 || bits != 8 || columns < 1 || columns > 1<<16 {
		return nil, errSyntax
	}
	out := make([]byte, 0, len(b))
	above := make([]byte, columns)
	for len(b) > columns {
		kind, row := b[0], slices.Clone(b[1:columns+1])
		for i := range row {
			left, corner := byte(0), byte(0)
			if i > 0 {
				left, corner = row[i-1], above[i-1]
			}
			switch kind {
			case 0:
			case 1:
				row[i] += left
			case 2:
				row[i] += above[i]
			case 3:
				row[i] += byte((int(left) + int(above[i])) / 2) //nolint:gosec // the mean of two bytes
			case 4:
				row[i] += paeth(left, above[i], corner)
			default:
				return nil, errSyntax
			}
		}
		out, above, b = append(out, row...), row, b[columns+1:]
	}
	return out, nil
}

func paeth(a, b, c byte) byte {
	distance := func(x byte) int {
		n := int(a) + int(b) - int(c) - int(x)
		return max(n, -n)
	}
	switch pa, pb, pc := distance(a), distance(b), distance(c); {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

// keys are those of a dictionary, in order, so that reports do not depend on chance.
func (v dict) keys() []name { return slices.Sorted(maps.Keys(v)) }
