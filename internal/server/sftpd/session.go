package sftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
)

// ahead is how many answers may wait to be sent: while one is being encrypted the next is
// decrypted.
const ahead = 4

// session is one run of the protocol. One goroutine reads requests and makes the answers,
// another sends them.
type session struct {
	conn    *conn
	out     chan answer
	rooms   sync.Pool // of packets
	handles map[string]handle
	number  int

	files   atomic.Int64 // open files
	pending atomic.Int64 // requests that were read, and whose answers were not sent yet
	taken   *receipts
}

// answer is what is sent, what to do before, and once it was: number is which answer of the
// session it is.
type answer struct {
	packet packet
	before func()
	sent   func(ok bool, number int64)
}

// handle is a file or a folder that the client has opened.
type handle struct {
	file   *openFile
	folder *openFolder
}

func newSession(c *conn) *session {
	return &session{conn: c, out: make(chan answer, ahead), handles: map[string]handle{}, taken: newReceipts()}
}

// quiet says whether no file is open and every request is answered.
func (s *session) quiet() bool { return s.files.Load() == 0 && s.pending.Load() == 0 }

// serve answers requests until the client has had enough. An error: it did not keep to the
// protocol, or went away in the middle of something.
func (s *session) serve(ctx context.Context, channel ssh.Channel) error {
	var sender sync.WaitGroup
	sender.Go(func() { s.send(channel) })
	go s.taken.run(func() error {
		_, err := channel.SendRequest(keepAlive, true, nil)
		return err
	})
	err := s.loop(ctx, channel)
	close(s.out)
	sender.Wait()
	defer s.taken.stop()
	for _, h := range s.handles {
		s.conn.server.handles.letGo(s.conn.company)
		s.drop(h)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (s *session) loop(ctx context.Context, in io.Reader) error {
	kind, rest, room, err := readPacket(in, nil)
	if err != nil {
		return err
	}
	f := fields{rest: rest}
	if version := f.u32(); kind != msgInit || f.bad || version < protocolVersion {
		return errPacket
	}
	s.pending.Add(1)
	s.out <- answer{packet: hello()}
	for {
		if kind, rest, room, err = readPacket(in, room); err != nil {
			return err
		}
		s.pending.Add(1)
		s.conn.alive()
		f := fields{rest: rest}
		id := f.u32()
		if f.bad {
			return errPacket
		}
		s.out <- s.answer(ctx, kind, id, &f)
	}
}

// hello tells the version and what we have beyond it.
func hello() packet {
	p := append(packet{}, 0, 0, 0, 0, msgVersion).u32(protocolVersion)
	for _, name := range []string{extLimits, extNames} {
		p = p.text(name).text("1")
	}
	return p.end()
}

// send sends the answers. After a failure it only takes them, so that nobody waits for it.
func (s *session) send(w io.Writer) {
	broken := false
	for a := range s.out {
		if a.before != nil {
			a.before()
		}
		if !broken {
			_, err := w.Write(a.packet)
			broken = err != nil
			if !broken {
				s.conn.alive()
				s.taken.gave()
			}
		}
		if a.sent != nil {
			a.sent(!broken, s.taken.given())
		}
		s.pending.Add(-1)
		if cap(a.packet) <= 2*maxPacket {
			s.rooms.Put(&a.packet)
		}
	}
}

// room returns a packet to write into.
func (s *session) room() packet {
	if p, ok := s.rooms.Get().(*packet); ok {
		return (*p)[:0]
	}
	return make(packet, 0, 1<<10)
}

// answer carries a request out. Every request gets exactly one answer.
func (s *session) answer(ctx context.Context, kind byte, id uint32, f *fields) answer {
	p := s.room()
	a, ok := s.conn.opens()
	switch {
	case !ok: // what opened it is gone, or the company is
		_ = s.conn.net.Close()
		return answer{packet: p.status(id, statusDenied, "permission denied")}
	case s.conn.server.isStopping() && !goesOn(kind):
		return answer{packet: p.status(id, statusFailure, "the server is stopping")}
	}
	return s.carryOut(ctx, &request{session: s, account: a, id: id, fields: f, packet: p}, kind)
}

// goesOn says whether a request belongs to a file that is open already.
func goesOn(kind byte) bool {
	return kind == msgRead || kind == msgClose || kind == msgFstat || kind == msgReaddir
}

// request is one that is being answered.
type request struct {
	*session
	account *account.Account
	id      uint32
	fields  *fields
	packet  packet
}

func (s *session) carryOut(ctx context.Context, r *request, kind byte) answer {
	switch kind {
	case msgRealpath:
		return r.realpath()
	case msgStat, msgLstat:
		return r.stat(ctx)
	case msgOpendir:
		return r.opendir(ctx)
	case msgReaddir:
		return r.readdir()
	case msgOpen:
		return r.open(ctx)
	case msgRead:
		return r.read(ctx)
	case msgFstat:
		return r.fstat()
	case msgClose:
		return r.close()
	case msgRemove:
		return r.remove(ctx)
	case msgRename:
		return r.rename(ctx)
	case msgExtended:
		return r.extended()
	case msgWrite, msgSetstat, msgFsetstat, msgMkdir, msgRmdir, msgSymlink:
		return r.status(statusDenied, "permission denied")
	default:
		return r.status(statusUnsupported, "operation unsupported")
	}
}

func (r *request) status(s status, text string) answer {
	return answer{packet: r.packet.status(r.id, s, text)}
}

func (r *request) bad() answer { return r.status(statusBadMessage, "bad message") }

// failed answers an error of a service. What a client cannot act on is only logged.
func (r *request) failed(ctx context.Context, what string, err error) answer {
	switch {
	case fault.Is(err, fault.NotFound):
		return r.status(statusNoSuchFile, "no such file")
	case fault.Is(err, fault.Precondition), fault.Is(err, fault.Forbidden):
		return r.status(statusDenied, "permission denied")
	}
	if ctx.Err() == nil {
		r.conn.server.Log.LogAttrs(ctx, slog.LevelError, "sftp", slog.String("act", what), slog.String("company", string(r.account.ID)), slog.Any("error", err))
	}
	return r.status(statusFailure, "internal error")
}

// keep gives a handle its name, if there is room for another.
func (r *request) keep(h handle) (string, bool) {
	if len(r.handles) >= r.conn.server.Limits.HandlesPerSession || !r.conn.server.handles.grab(r.account.ID) {
		return "", false
	}
	r.number++
	name := strconv.Itoa(r.number)
	r.handles[name] = h
	return name, true
}

// drop ends what a handle holds. It counts no more already.
func (s *session) drop(h handle) {
	if h.file == nil {
		return
	}
	h.file.end(s.taken.await)
	s.files.Add(-1)
}

// close ends a handle once what was read from it has been sent, and taken.
func (r *request) close() answer {
	name := r.fields.handle()
	h, ok := r.handles[name]
	if r.fields.bad || !ok {
		return r.status(statusFailure, "no such handle")
	}
	delete(r.handles, name)
	r.conn.server.handles.letGo(r.account.ID) // now: the client may open another right after the answer
	a := r.status(statusOK, "ok")
	a.before = func() { r.drop(h) }
	return a
}
