package mail

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the format knows no other
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Member is one file that goes into an encrypted ZIP.
type Member struct {
	Name string
	Size int64
	Open func() (io.ReadCloser, error)
}

// The format of WinZip's AE-2 with AES-256 on top of APPNOTE.TXT. Members are stored: what
// is large in a result is compressed already, and so the size is arithmetic. Names, sizes
// and times of members stand in clear; the format has no other way.
const (
	aesSalt, aesCheck, aesMAC = 16, 2, 10
	aesRounds                 = 1000
	aesVersion, aesMethod     = 51, 99
	aesFlags                  = 1 | 1<<11 // encrypted; names are UTF-8
	zipLocal, zipCentral      = 30, 46
	zipEnd                    = 22
	aesExtra                  = 11
)

var errZIP = errors.New("too large for an encrypted ZIP")

// zipSize returns the length of what writeZIP writes.
func zipSize(members []Member) (int64, error) {
	size := int64(zipEnd)
	for _, m := range members {
		if m.Size < 0 || m.Size > math.MaxInt32 || len(m.Name) > math.MaxUint8 || m.Name == "" {
			return 0, errZIP
		}
		size += zipLocal + zipCentral + 2*int64(len(m.Name)+aesExtra) + m.Size + aesSalt + aesCheck + aesMAC
	}
	if size > math.MaxInt32 || len(members) > math.MaxInt16 {
		return 0, errZIP
	}
	return size, nil
}

// writeZIP writes the members under a password, a block of one of them at a time in memory.
func writeZIP(w io.Writer, password string, modified time.Time, members []Member) error {
	if _, err := zipSize(members); err != nil {
		return err
	}
	var directory []byte
	var offset uint32
	for _, m := range members {
		common := zipCommon(m, modified)
		head := append([]byte("PK\x03\x04"), common...)
		head = append(append(head, m.Name...), zipAES...)
		if _, err := w.Write(head); err != nil {
			return fmt.Errorf("writing a ZIP: %w", err)
		}
		if err := writeMember(w, password, m); err != nil {
			return err
		}
		directory = append(directory, "PK\x01\x02"...)
		directory = binary.LittleEndian.AppendUint16(directory, 3<<8|aesVersion)
		directory = append(directory, common...)
		directory = append(directory, 0, 0, 0, 0, 0, 0) // comment, disk, internal attributes
		directory = binary.LittleEndian.AppendUint32(directory, 0o100644<<16)
		directory = binary.LittleEndian.AppendUint32(directory, offset)
		directory = append(append(directory, m.Name...), zipAES...)
		offset += uint32(len(head)) + uint32(m.Size) + aesSalt + aesCheck + aesMAC //nolint:gosec // bounded by zipSize
	}
	end := append([]byte("PK\x05\x06"), 0, 0, 0, 0)
	end = binary.LittleEndian.AppendUint16(end, uint16(len(members)))   //nolint:gosec // bounded by zipSize
	end = binary.LittleEndian.AppendUint16(end, uint16(len(members)))   //nolint:gosec // bounded by zipSize
	end = binary.LittleEndian.AppendUint32(end, uint32(len(directory))) //nolint:gosec // bounded by zipSize
	end = binary.LittleEndian.AppendUint32(end, offset)
	end = append(end, 0, 0)
	if _, err := w.Write(append(directory, end...)); err != nil {
		return fmt.Errorf("writing a ZIP: %w", err)
	}
	return nil
}

// zipAES is the extra field of a member: AE-2, AES-256, stored.
var zipAES = []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, 0, 0}

// zipCommon is what the local and the central header of a member share. The CRC is zero:
// it would tell something of the content.
func zipCommon(m Member, modified time.Time) []byte {
	t := modified.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	var b []byte
	size := uint32(m.Size) //nolint:gosec // bounded by zipSize
	clock, date := t.Hour()<<11|t.Minute()<<5|t.Second()/2, (t.Year()-1980)<<9|int(t.Month())<<5|t.Day()
	for _, v := range []int{aesVersion, aesFlags, aesMethod, clock, date, 0, 0} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v)) //nolint:gosec // bounded by the calendar
	}
	b = binary.LittleEndian.AppendUint32(b, size+aesSalt+aesCheck+aesMAC)
	b = binary.LittleEndian.AppendUint32(b, size)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.Name))) //nolint:gosec // bounded by zipSize
	return binary.LittleEndian.AppendUint16(b, aesExtra)
}

func writeMember(w io.Writer, password string, m Member) (err error) {
	salt := make([]byte, aesSalt)
	_, _ = rand.Read(salt) // never fails
	derived, err := pbkdf2.Key(sha1.New, password, salt, aesRounds, 2*32+aesCheck)
	if err != nil {
		return fmt.Errorf("making the key of a ZIP: %w", err)
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return fmt.Errorf("making the key of a ZIP: %w", err)
	}
	if _, err := w.Write(append(salt, derived[64:]...)); err != nil {
		return fmt.Errorf("writing a ZIP: %w", err)
	}
	r, err := m.Open()
	if err != nil {
		return &sourceError{err}
	}
	defer func() {
		if closing := r.Close(); err == nil && closing != nil {
			err = &sourceError{closing}
		}
	}()
	mac := hmac.New(sha1.New, derived[32:64])
	sealed := cipher.StreamWriter{S: &littleCTR{block: block}, W: io.MultiWriter(w, mac)}
	n, err := io.Copy(sealed, source{io.LimitReader(r, m.Size+1)})
	if err != nil {
		return err
	}
	if n != m.Size {
		return &sourceError{errLength}
	}
	if _, err := w.Write(mac.Sum(nil)[:aesMAC]); err != nil {
		return fmt.Errorf("writing a ZIP: %w", err)
	}
	return nil
}

// littleCTR is AES in counter mode as the format has it: the counter begins at one and
// grows from its first byte on, where Go's grows from its last.
type littleCTR struct {
	block cipher.Block
	count uint64
	pad   [aes.BlockSize]byte
	input [aes.BlockSize]byte
	left  int // bytes of pad that are not used yet
}

func (c *littleCTR) XORKeyStream(dst, src []byte) {
	for len(src) > 0 {
		if c.left == 0 {
			c.count++
			binary.LittleEndian.PutUint64(c.input[:], c.count)
			c.block.Encrypt(c.pad[:], c.input[:])
			c.left = len(c.pad)
		}
		n := min(len(src), c.left)
		at := len(c.pad) - c.left
		subtle.XORBytes(dst[:n], src[:n], c.pad[at:at+n])
		dst, src, c.left = dst[n:], src[n:], c.left-n
	}
}
