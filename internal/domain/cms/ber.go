package cms

import (
	"errors"
	"slices"
)

var errDeep = errors.New("the message is nested too deep")

// toDER returns the first element of b as DER as far as lengths and split strings go, and
// how many bytes it took. Elements of indefinite length get their length, strings in pieces
// become one. What DER says about values stays as it is: signatures are over it.
func toDER(b []byte) (out []byte, taken int, err error) {
	if len(b) > maxSize {
		return nil, 0, errors.New("the message is too large")
	}
	out, rest, err := appendDER(make([]byte, 0, len(b)), b, 0)
	return out, len(b) - len(rest), err
}

func appendDER(out, b []byte, depth int) (_, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, errDeep
	}
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return nil, nil, errCut
	}
	tag, indefinite := b[0], b[1] == 0x80
	var body []byte
	if indefinite {
		if tag&tagConstructed == 0 {
			return nil, nil, errCut
		}
		body = b[2:]
	} else {
		e, after, err := splitBER(b)
		if err != nil {
			return nil, nil, err
		}
		body, rest = e.body, after
	}
	if tag&tagConstructed == 0 {
		return append(appendHead(out, tag, len(body)), body...), rest, nil
	}
	if isString := tag&0xc0 == 0 && tag&0x1f != tagSequence&0x1f && tag&0x1f != tagSet&0x1f; isString {
		return appendString(out, tag&^tagConstructed, body, rest, indefinite, depth)
	}
	start := len(out)
	for {
		if indefinite {
			if len(body) >= 2 && body[0] == 0 && body[1] == 0 {
				rest = body[2:]
				break
			}
		} else if len(body) == 0 {
			break
		}
		if out, body, err = appendDER(out, body, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return slices.Insert(out, start, appendHead(nil, tag, len(out)-start)...), rest, nil
}

// appendString joins a string in pieces. Only octet strings and the text strings are: the
// pieces of a bit string count unused bits, and nobody writes them.
func appendString(out []byte, tag byte, body, rest []byte, indefinite bool, depth int) (_, _ []byte, err error) {
	if tag == tagBits {
		return nil, nil, errors.New("a bit string comes in pieces")
	}
	start := len(out)
	for {
		if indefinite {
			if len(body) >= 2 && body[0] == 0 && body[1] == 0 {
				rest = body[2:]
				break
			}
		} else if len(body) == 0 {
			break
		}
		if len(body) == 0 || body[0]&^tagConstructed != tag && body[0]&^tagConstructed != tagOctets {
			return nil, nil, errors.New("a string in pieces has a piece of another type")
		}
		piece := len(out)
		if out, body, err = appendDER(out, body, depth+1); err != nil {
			return nil, nil, err
		}
		e, _, err := split(out[piece:])
		if err != nil {
			return nil, nil, err
		}
		out = append(out[:piece], e.body...)
	}
	return slices.Insert(out, start, appendHead(nil, tag, len(out)-start)...), rest, nil
}

// splitBER is split for lengths that are longer than they need be.
func splitBER(b []byte) (e element, rest []byte, err error) {
	if n := int(b[1] & 0x7f); b[1] > 0x80 && n <= 16 && len(b) >= 2+n {
		zeros := 0
		for zeros < n-1 && b[2+zeros] == 0 {
			zeros++
		}
		if zeros > 0 { // the length without its leading zeros, before the same content
			short := append([]byte{b[0], 0x80 | byte(n-zeros)}, b[2+zeros:2+n]...) //nolint:gosec // G115: n is at most 16
			head := len(short)
			size := 0
			for _, c := range short[2:] {
				size = size<<8 | int(c)
			}
			if n-zeros > 4 || size < 0 || size > len(b)-2-n {
				return element{}, nil, errCut
			}
			body := b[2+n : 2+n+size]
			return element{tag: b[0], all: b[:head+size], body: body}, b[2+n+size:], nil
		}
	}
	return split(b)
}
