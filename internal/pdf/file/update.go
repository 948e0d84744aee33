package file

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// Update is a revision that is being made of a file: objects that are new or replaced.
type Update struct {
	file    *File
	bodies  map[int]body
	next    int
	written map[int]int // where each object of the update begins, once it is written
}

type body struct {
	gen  int
	text []byte
}

// Update begins a revision.
func (f *File) Update() *Update {
	return &Update{file: f, bodies: map[int]body{}, next: max(f.size, 1), written: map[int]int{}}
}

// New reserves the number of a new object.
func (u *Update) New() Ref {
	u.next++
	return Ref{Num: u.next - 1}
}

// Put writes an object in the place of what it was, or as a new one.
func (u *Update) Put(r Ref, o Object) { u.PutText(r, Append(nil, o)) }

// PutText is Put for an object that is written already.
func (u *Update) PutText(r Ref, text []byte) { u.bodies[r.Num] = body{r.Gen, text} }

// Add stores a new object whose dictionary is written already, without its brackets; a
// stream that is nil is none.
func (u *Update) Add(dictionary string, stream []byte) Ref {
	r := u.New()
	text := make([]byte, 0, len(dictionary)+len(stream)+32)
	text = append(append(append(text, "<<"...), dictionary...), ">>"...)
	if stream != nil {
		text = append(append(append(text, "\nstream\n"...), stream...), "\nendstream"...)
	}
	u.PutText(r, text)
	return r
}

// Size is about how many bytes WriteTo appends.
func (u *Update) Size() int {
	n := 1024
	for _, b := range u.bodies {
		n += len(b.text) + 64
	}
	return n
}

// AppendTo appends the revision to out, which holds the file from its beginning, and returns
// it with the offset of the text of object r in it.
func (u *Update) AppendTo(out []byte, r Ref) (_ []byte, at int) {
	if n := len(out); n > 0 && out[n-1] != '\n' && out[n-1] != '\r' {
		out = append(out, '\n')
	}
	for _, num := range slices.Sorted(maps.Keys(u.bodies)) {
		b := u.bodies[num]
		u.written[num] = len(out) - u.file.base
		out = fmt.Appendf(out, "%d %d obj\n", num, b.gen)
		if num == r.Num {
			at = len(out)
		}
		out = append(out, b.text...)
		out = append(out, "\nendobj\n"...)
	}
	if u.file.streams {
		return u.appendStream(out), at
	}
	return u.appendTable(out), at
}

// trailer is that of the new section.
func (u *Update) trailer() Dict {
	d := Dict{"Size": Int(u.next)}
	for _, key := range []Name{"Root", "Info", "ID"} {
		if v := u.file.Trailer[key]; v != nil {
			d[key] = v
		}
	}
	if id := u.file.Array(d["ID"]); len(id) == 2 { // the second half tells revisions apart, 14.4
		sum := sha256.New()
		for _, num := range slices.Sorted(maps.Keys(u.bodies)) {
			_, _ = sum.Write(u.bodies[num].text)
		}
		d["ID"] = Array{id[0], String(sum.Sum(nil)[:16])}
	}
	if !u.file.repaired {
		d["Prev"] = Int(u.file.last)
	}
	return d
}

// places returns where the objects of the section lie: those of the update, and, where the
// earlier sections are broken, all others.
func (u *Update) places() map[int]entry {
	all := map[int]entry{}
	if u.file.repaired {
		maps.Copy(all, u.file.xref)
		all[0] = entry{free: true, gen: 65535}
	}
	for num, at := range u.written {
		all[num] = entry{at: at, gen: u.bodies[num].gen}
	}
	return all
}

// runs are the stretches of numbers without gaps.
func runs(places map[int]entry) (all [][]int) {
	for _, num := range slices.Sorted(maps.Keys(places)) {
		if n := len(all); n > 0 && all[n-1][len(all[n-1])-1] == num-1 {
			all[n-1] = append(all[n-1], num)
			continue
		}
		all = append(all, []int{num})
	}
	return all
}

func (u *Update) appendTable(out []byte) []byte {
	begin := len(out) - u.file.base
	places := u.places()
	out = append(out, "xref\n"...)
	for _, run := range runs(places) {
		out = fmt.Appendf(out, "%d %d\n", run[0], len(run))
		for _, num := range run {
			e, kind := places[num], 'n'
			if e.free {
				kind, e.at = 'f', 0
			}
			out = fmt.Appendf(out, "%010d %05d %c\r\n", e.at, e.gen, kind)
		}
	}
	out = append(out, "trailer\n"...)
	out = Append(out, u.trailer())
	return fmt.Appendf(out, "\nstartxref\n%d\n%%%%EOF\n", begin)
}

func (u *Update) appendStream(out []byte) []byte {
	self := u.New()
	begin := len(out) - u.file.base
	u.written[self.Num] = begin
	u.bodies[self.Num] = body{}
	places := u.places()
	var content []byte
	var index Array
	for _, run := range runs(places) {
		index = append(index, Int(run[0]), Int(len(run)))
		for _, num := range run {
			content = appendEntry(content, places[num])
		}
	}
	d := u.trailer()
	d["Type"], d["W"], d["Index"], d["Length"] = Name("XRef"), Array{Int(1), Int(4), Int(2)}, index, Int(len(content))
	out = fmt.Appendf(out, "%d 0 obj\n", self.Num)
	out = Append(out, &Stream{d, content})
	return fmt.Appendf(out, "\nendobj\nstartxref\n%d\n%%%%EOF\n", begin)
}

func appendEntry(b []byte, e entry) []byte {
	kind, second, third := 1, e.at, e.gen
	switch {
	case e.free:
		kind, second = 0, 0
	case e.stream > 0:
		kind, second, third = 2, e.stream, e.index
	}
	return append(b, byte(kind), byte(second>>24), byte(second>>16), byte(second>>8), byte(second), byte(third>>8), byte(third)) //nolint:gosec // fields of one, four and two bytes; files are smaller than that
}
