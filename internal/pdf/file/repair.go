package file

import (
	"bytes"
)

// repair finds the objects by looking for "n g obj" in the whole file: of several with one
// number the last one counts, as in a file that was updated.
func (f *File) repair() error {
	f.repaired = true
	if bytes.Contains(f.data, []byte("/Encrypt")) && f.findsEncryption() {
		return Encrypted()
	}
	var streams []int
	for at := 0; ; {
		i := bytes.Index(f.data[at:], []byte("obj"))
		if i < 0 {
			break
		}
		i += at
		at = i + len("obj")
		num, gen, begin, ok := f.head(i)
		if !ok || num >= maxObjects {
			continue
		}
		f.xref[num] = entry{at: begin, gen: gen}
		f.size = max(f.size, num+1)
		if len(f.xref) > maxObjects {
			return Damaged("it has too many objects")
		}
		end := min(len(f.data), at+400)
		if bytes.Contains(f.data[at:end], []byte("/ObjStm")) {
			streams = append(streams, num)
		}
	}
	for _, num := range streams {
		if f.xref[num].free {
			continue
		}
		if p := f.openPacked(num); p != nil {
			f.packed[num] = p
			for i, inside := range p.numbers {
				if _, plain := f.xref[inside]; !plain || f.xref[inside].stream > 0 {
					if inside < maxObjects {
						f.xref[inside] = entry{stream: num, index: i}
						f.size = max(f.size, inside+1)
						f.streams = true
					}
				}
			}
		}
	}
	if len(f.xref) == 0 {
		return Damaged("no objects were found in it")
	}
	f.Trailer = f.findTrailer()
	if f.Trailer == nil {
		return Damaged("its catalog was not found")
	}
	return nil
}

// head reads backwards what stands before "obj" at i: number and generation.
func (f *File) head(i int) (num, gen, begin int, ok bool) {
	at := i
	number := func() (int, bool) {
		end := at
		for end > 0 && isSpace(f.data[end-1]) {
			end--
		}
		first := end
		for first > 0 && isDigit(f.data[first-1]) && end-first < 10 {
			first--
		}
		if first == end {
			return 0, false
		}
		v := 0
		for _, c := range f.data[first:end] {
			v = v*10 + int(c-'0')
		}
		at = first
		return v, true
	}
	gen, ok1 := number()
	if !ok1 || at == i || gen > 65535 {
		return 0, 0, 0, false
	}
	num, ok2 := number()
	if !ok2 || at > 0 && !isSpace(f.data[at-1]) && !isDelimiter(f.data[at-1]) && !bytes.HasSuffix(f.data[:at], []byte("endobj")) {
		return 0, 0, 0, false
	}
	return num, gen, at, true
}

// findsEncryption says whether any trailer of a broken file names an encryption.
func (f *File) findsEncryption() bool {
	for _, word := range []string{"trailer", "/XRef"} {
		for at := 0; ; {
			i := bytes.Index(f.data[at:], []byte(word))
			if i < 0 {
				break
			}
			at += i + len(word)
			begin := max(0, at-1000)
			if bytes.Contains(f.data[begin:min(len(f.data), at+2000)], []byte("/Encrypt")) {
				return true
			}
		}
	}
	return false
}

// findTrailer returns the last trailer whose root is a catalog, or makes one for a catalog
// that lies about.
func (f *File) findTrailer() Dict {
	for end := len(f.data); end > 0; {
		i := bytes.LastIndex(f.data[:end], []byte("trailer"))
		if i < 0 {
			break
		}
		end = i
		l := &lexer{data: f.data, pos: i + len("trailer")}
		if o, err := l.object(0); err == nil {
			if d, ok := o.(Dict); ok && f.Dict(d["Root"]) != nil {
				d = d.Clone()
				delete(d, "Prev")
				delete(d, "XRefStm")
				return d
			}
		}
	}
	var found Dict
	for num := range f.xref {
		switch d := f.Dict(Ref{Num: num}); {
		case d["Type"] == Name("XRef") && f.Dict(d["Root"]) != nil:
			found = Dict{"Root": d["Root"]}
			for _, key := range []Name{"Info", "ID"} {
				if d[key] != nil {
					found[key] = d[key]
				}
			}
			return found
		case d["Type"] == Name("Catalog") && f.Dict(d["Pages"]) != nil:
			found = Dict{"Root": Ref{num, f.xref[num].gen}}
		}
	}
	return found
}
