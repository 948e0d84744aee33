package sftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"vidimus/internal/domain/delivery"
	"vidimus/internal/service/publish"
)

// openFile is a ZIP that a client reads. The ledger learns of it at the first read, before
// the first byte leaves.
type openFile struct {
	publish.FolderFile
	zip    *publish.ZIP
	reader *publish.Reader
	client string
	began  time.Time
	whole  func(given []span, taken bool) bool // whether the client has all of it now
	done   func(f *openFile, given int64, whole bool)

	once    sync.Once
	handing *publish.Handing
	err     error

	gate   sync.Mutex
	given  []span // what was given to the connection, in order, without overlaps
	last   span   // what was given to it last
	number int64  // which answer of the session that was
}

// span is a stretch of a file.
type span struct{ from, to int64 }

// begin waits until the ledger has that the file is being handed over.
func (f *openFile) begin(ctx context.Context) error {
	f.once.Do(func() { f.handing, f.err = f.zip.Begin(context.WithoutCancel(ctx), delivery.SFTP, f.client) })
	return f.err
}

// gave notes what was given to the connection, and by which answer.
func (f *openFile) gave(from, to, number int64) {
	f.gate.Lock()
	defer f.gate.Unlock()
	f.add(f.last)
	f.last, f.number = span{from, to}, number
}

func (f *openFile) add(s span) {
	from, to := s.from, s.to
	if from == to {
		return
	}
	if n := len(f.given); n > 0 && f.given[n-1].to == from {
		f.given[n-1].to = to // most often
		return
	}
	f.given = merge(append(f.given, span{from, to}))
}

// merge sorts spans and joins those that touch.
func merge(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return int(max(-1, min(1, a.from-b.from))) })
	joined := all[:0]
	for _, s := range all {
		if n := len(joined); n > 0 && s.from <= joined[n-1].to {
			joined[n-1].to = max(joined[n-1].to, s.to)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// end tells the ledger how it ended; taken says whether the client has taken everything up to
// an answer. Nothing is read from the file any more. What lies in the buffers of a connection
// that drops is nobody's.
func (f *openFile) end(taken func(number int64) bool) {
	never := false
	f.once.Do(func() { never = true })
	if never {
		return // it was looked at, not read
	}
	f.gate.Lock()
	number := f.number
	f.gate.Unlock()
	arrived := taken(number)
	f.gate.Lock()
	before := slices.Clone(f.given)
	f.add(f.last)
	given := merge(f.given)
	f.gate.Unlock()
	var bytes int64
	for _, s := range given {
		bytes += s.to - s.from
	}
	whole := false
	if arrived {
		whole = f.whole(given, true)
	} else {
		f.whole(merge(before), false)
	}
	if f.err == nil {
		f.handing.End(publish.Ended{Whole: whole, Bytes: bytes})
	}
	f.done(f, bytes, whole)
}

func (r *request) open(ctx context.Context) answer {
	p, refused := r.place()
	if refused != nil {
		return *refused
	}
	flags := r.fields.u32()
	switch {
	case r.fields.bad:
		return r.bad()
	case flags != openRead:
		return r.status(statusDenied, "permission denied")
	case p.file == "":
		return r.status(statusFailure, "it is a folder")
	}
	file, zip, err := r.conn.server.Publish.Open(ctx, r.account, p.directory, p.file)
	if err != nil {
		return r.failed(ctx, "open", err)
	}
	reader, err := zip.Reader()
	if err != nil {
		return r.failed(ctx, "open", err)
	}
	f := &openFile{
		FolderFile: file, zip: zip, reader: reader, client: r.conn.client.String(), began: r.now(), done: r.handedOver,
	}
	from := download{r.account.ID, file.ID, file.Time, network(r.conn.client)}
	f.whole = func(given []span, taken bool) bool {
		return r.conn.server.pieces.completes(from, file.Size, given, taken)
	}
	name, ok := r.keep(handle{file: f})
	if !ok {
		return r.status(statusFailure, "too many open files")
	}
	r.files.Add(1)
	return answer{packet: r.packet.begin(msgHandle, r.id).text(name).end()}
}

// handedOver writes the line of a download into the log.
func (r *request) handedOver(f *openFile, bytes int64, whole bool) {
	r.log(context.Background(), "get", slog.String("identification", string(f.ID)), slog.Int64("bytes", bytes), slog.Bool("whole", whole),
		slog.Duration("took", r.now().Sub(f.began)))
}

func (r *request) fstat() answer {
	h, ok := r.handles[r.fields.handle()]
	switch {
	case r.fields.bad || !ok:
		return r.status(statusFailure, "no such handle")
	case h.file == nil:
		return r.attributesOf(folderEntry("", r.now()))
	}
	return r.attributesOf(fileEntry(h.file.FolderFile))
}

// read answers a stretch of a file.
func (r *request) read(ctx context.Context) answer {
	f := r.handles[r.fields.handle()].file
	off, length := r.fields.offset(), int64(min(r.fields.u32(), maxRead))
	switch {
	case r.fields.bad || f == nil:
		return r.status(statusFailure, "no such handle")
	case off >= f.Size:
		return r.status(statusEOF, "end of file")
	}
	length = min(length, f.Size-off)
	if err := f.begin(ctx); err != nil {
		return r.failed(ctx, "read", err)
	}
	p := r.packet.begin(msgData, r.id).u32(uint32(length)) //nolint:gosec // bounded
	head := len(p)
	p = slices.Grow(p, int(length))[:head+int(length)]
	if n, err := f.reader.ReadAt(ctx, p[head:], off); err != nil && (!errors.Is(err, io.EOF) || int64(n) < length) {
		return r.failed(ctx, "read", err)
	}
	return answer{packet: p.end(), sent: func(ok bool, number int64) {
		if !ok {
			return
		}
		f.gave(off, off+length, number)
		if off+length == f.Size {
			r.taken.ask() // now, so that the answer is there when the file is closed
		}
	}}
}
