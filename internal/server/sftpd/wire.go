package sftpd

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// The messages of SFTP version 3 (draft-ietf-secsh-filexfer-02), which every client speaks.
const (
	msgInit          = 1
	msgVersion       = 2
	msgOpen          = 3
	msgClose         = 4
	msgRead          = 5
	msgWrite         = 6
	msgLstat         = 7
	msgFstat         = 8
	msgSetstat       = 9
	msgFsetstat      = 10
	msgOpendir       = 11
	msgReaddir       = 12
	msgRemove        = 13
	msgMkdir         = 14
	msgRmdir         = 15
	msgRealpath      = 16
	msgStat          = 17
	msgRename        = 18
	msgReadlink      = 19
	msgSymlink       = 20
	msgStatus        = 101
	msgHandle        = 102
	msgData          = 103
	msgName          = 104
	msgAttrs         = 105
	msgExtended      = 200
	msgExtendedReply = 201
)

// status is how a request ended.
type status uint32

// The statuses of version 3.
const (
	statusOK          status = 0
	statusEOF         status = 1
	statusNoSuchFile  status = 2
	statusDenied      status = 3
	statusFailure     status = 4
	statusBadMessage  status = 5
	statusUnsupported status = 8
)

// Flags of an open, those of attributes, and the bits of a mode.
const (
	openRead = 1

	attrSize        = 1
	attrOwner       = 2
	attrPermissions = 4
	attrTimes       = 8

	modeDirectory = 0o040000
	modeFile      = 0o100000
)

// What a request may hold. A request is short, unless it wants to write, which none may.
const (
	protocolVersion = 3
	maxPacket       = 256 << 10
	maxRead         = maxPacket - 1024
	maxPath         = 4096
)

var errPacket = errors.New("a packet is no message of SFTP")

// readPacket reads one message into room, or into a longer one that it makes, and returns
// its type and what follows it. io.EOF only between messages.
func readPacket(r io.Reader, room []byte) (kind byte, rest, kept []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, room, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > maxPacket {
		return 0, nil, room, errPacket
	}
	if uint32(cap(room)) < n { //nolint:gosec // far below
		room = make([]byte, n)
	}
	room = room[:n]
	if _, err := io.ReadFull(r, room); err != nil {
		return 0, nil, room, io.ErrUnexpectedEOF
	}
	return room[0], room[1:], room, nil
}

// fields takes a message apart. After a field that is not there, all are zero and bad is
// set.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) take(n int) []byte {
	if f.bad || n > len(f.rest) {
		f.bad = true
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) u32() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// text reads a string of at most so many bytes.
func (f *fields) text(most uint32) string {
	n := f.u32()
	if n > most {
		f.bad = true
		return ""
	}
	return string(f.take(int(n)))
}

// path reads the name of a file.
func (f *fields) path() string { return f.text(maxPath) }

// handle reads what names an open file or folder.
func (f *fields) handle() string { return f.text(256) }

// offset reads a place in a file; one that no file has is beyond its end.
func (f *fields) offset() int64 { return int64(min(f.u64(), math.MaxInt64)) }

// packet is a message in the making. Its first four bytes are its length.
type packet []byte

// begin starts a message of that type that answers request id.
func (p packet) begin(kind byte, id uint32) packet {
	return append(p[:0], 0, 0, 0, 0, kind).u32(id)
}

func (p packet) u32(n uint32) packet { return binary.BigEndian.AppendUint32(p, n) }
func (p packet) u64(n uint64) packet { return binary.BigEndian.AppendUint64(p, n) }

func (p packet) text(s string) packet {
	return append(p.u32(uint32(len(s))), s...) //nolint:gosec // ours, and short
}

// end sets the length.
func (p packet) end() packet {
	binary.BigEndian.PutUint32(p, uint32(len(p)-4)) //nolint:gosec // a message is short
	return p
}

// status answers how a request ended. The text is for people.
func (p packet) status(id uint32, s status, text string) packet {
	return p.begin(msgStatus, id).u32(uint32(s)).text(text).text("en").end()
}

// attributes are what is told of a file.
type attributes struct {
	size int64
	mode uint32
	time int64 // seconds since 1970
}

// owner is the number that stands for the company as user and group.
const owner = 1000

func (p packet) attributes(a attributes) packet {
	at := uint32(max(0, min(a.time, math.MaxUint32)))
	return p.u32(attrSize | attrOwner | attrPermissions | attrTimes).u64(uint64(a.size)).u32(owner).u32(owner).u32(a.mode).u32(at).u32(at) //nolint:gosec // sizes are not negative
}
