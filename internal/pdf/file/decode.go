package file

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
)

// Bounds of what streams inflate to.
const (
	maxInflated    = 32 << 20 // one stream
	maxAllInflated = 96 << 20 // all of a file
	maxPacked      = 1 << 16  // objects in one object stream
)

// decode returns the data of a stream of the kinds that hold structure: flat, or by Flate
// with the predictors of 7.4.4.4.
func (f *File) decode(s *Stream) ([]byte, error) {
	filters, parameters := f.list(s.Dict["Filter"]), f.list(s.Dict["DecodeParms"])
	data := s.Raw
	if len(filters) > 4 {
		return nil, errors.New("a stream with too many filters")
	}
	for i, name := range filters {
		if f.Name(name) != "FlateDecode" && f.Name(name) != "Fl" {
			return nil, errors.New("a stream of structure with an uncommon filter")
		}
		z, err := zlib.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, errors.New("a stream that cannot be inflated")
		}
		var out bytes.Buffer
		n, err := io.Copy(&out, io.LimitReader(z, maxInflated+1))
		f.inflated += int(n)
		if n > maxInflated || f.inflated > maxAllInflated {
			return nil, errors.New("a stream that inflates to too much")
		}
		if err != nil && out.Len() == 0 { // a wrong check sum at the end is common
			return nil, errors.New("a stream that cannot be inflated")
		}
		data = out.Bytes()
		if i < len(parameters) {
			if data, err = f.unpredict(data, f.Dict(parameters[i])); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}

// list makes a list of one, or of none.
func (f *File) list(o Object) Array {
	switch v := f.Get(o).(type) {
	case nil:
		return nil
	case Array:
		return v
	default:
		return Array{v}
	}
}

func (f *File) unpredict(data []byte, p Dict) ([]byte, error) {
	value := func(key Name, otherwise int) int {
		if n, ok := f.Get(p[key]).(Number); ok {
			if v, ok := n.Int(); ok {
				return v
			}
		}
		return otherwise
	}
	predictor := value("Predictor", 1)
	if predictor == 1 {
		return data, nil
	}
	colors, bits, columns := value("Colors", 1), value("BitsPerComponent", 8), value("Columns", 1)
	if predictor < 10 || colors < 1 || colors > 32 || bits != 8 || columns < 1 || columns > 1<<16 {
		return nil, errors.New("a stream of structure with an uncommon predictor")
	}
	row, pixel := colors*columns, colors
	out := make([]byte, 0, len(data))
	above := make([]byte, row)
	for len(data) > row {
		kind, line := data[0], data[1:row+1]
		data = data[row+1:]
		begin := len(out)
		out = append(out, line...)
		now := out[begin:]
		for i := range now {
			var left, corner byte
			if i >= pixel {
				left, corner = now[i-pixel], above[i-pixel]
			}
			switch kind {
			case 1:
				now[i] += left
			case 2:
				now[i] += above[i]
			case 3:
				now[i] += byte((int(left) + int(above[i])) / 2) //nolint:gosec // the mean of two bytes
			case 4:
				now[i] += paeth(left, above[i], corner)
			}
		}
		above = now
	}
	return out, nil
}

// paeth is the predictor of PNG (RFC 2083, 6.6).
func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := distance(p, a), distance(p, b), distance(p, c)
	if pa <= pb && pa <= pc {
		return a
	}
	if pb <= pc {
		return b
	}
	return c
}

func distance(p int, v byte) int {
	if d := p - int(v); d >= 0 {
		return d
	}
	return int(v) - p
}

// packed is an object stream (7.5.7): where in its content each of its objects begins.
type packed struct {
	content []byte
	numbers []int
	offsets []int
}

// unpack reads an object out of an object stream.
func (f *File) unpack(e entry, num int) Object {
	p, ok := f.packed[e.stream]
	if !ok {
		p = f.openPacked(e.stream)
		f.packed[e.stream] = p
	}
	if p == nil {
		return nil
	}
	i := e.index
	if i < 0 || i >= len(p.numbers) || p.numbers[i] != num {
		for i = 0; i < len(p.numbers) && p.numbers[i] != num; i++ { // a wrong index
		}
		if i == len(p.numbers) {
			return nil
		}
	}
	l := &lexer{data: p.content, pos: p.offsets[i], budget: &f.budget}
	defer func() { f.budget.bytes -= l.pos - p.offsets[i] }()
	o, err := l.object(0)
	if err != nil {
		return nil
	}
	return o
}

// openPacked reads the list of an object stream; nil when it is none.
func (f *File) openPacked(num int) *packed {
	if f.xref[num].stream > 0 {
		return nil // they do not lie in each other
	}
	s, ok := f.Get(Ref{Num: num}).(*Stream)
	if !ok || s.Dict["Type"] != Name("ObjStm") {
		return nil
	}
	n, _ := f.Get(s.Dict["N"]).(Number)
	first, _ := f.Get(s.Dict["First"]).(Number)
	count, ok1 := n.Int()
	begin, ok2 := first.Int()
	content, err := f.decode(s)
	if err != nil || !ok1 || !ok2 || count < 0 || count > maxPacked || begin < 0 || begin > len(content) {
		return nil
	}
	p := &packed{content: content}
	l := &lexer{data: content[:begin]}
	for range count {
		num, ok1 := l.integer()
		at, ok2 := l.integer()
		if !ok1 || !ok2 || begin+at > len(content) {
			break
		}
		p.numbers, p.offsets = append(p.numbers, num), append(p.offsets, begin+at)
	}
	return p
}
