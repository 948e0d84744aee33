package result

// Part is a stretch of the ZIP: a header, the content of a member, or the directory.
type Part struct {
	Offset int64
	Size   int64
	Bytes  []byte // of a header or the directory; nil: the content of Member
	Member int    // its index; -1: none
}

// Parts returns the ZIP in pieces, without gaps, in order: together they are what Write
// writes. The error is that of Write for members that cannot be written.
func (a Archive) Parts() ([]Part, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	parts := make([]Part, 0, 2*len(a.Members)+1)
	var offset int64
	add := func(size int64, bytes []byte, member int) {
		parts = append(parts, Part{Offset: offset, Size: size, Bytes: bytes, Member: member})
		offset += size
	}
	for n, m := range a.Members {
		header := a.localHeader(m)
		add(int64(len(header)), header, -1)
		if m.Size > 0 {
			add(m.Size, nil, n)
		}
	}
	directory := a.directory()
	add(int64(len(directory)), directory, -1)
	return parts, nil
}
