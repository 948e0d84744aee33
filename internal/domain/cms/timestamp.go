package cms

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// PrepareToken drafts a time-stamp token that says info. Chain is the authority's, its own
// certificate first; carried are the certificates that go into it, which may be none. Info
// needs a Policy, a Serial, a Time, and the imprint: by InfoFor, or Hash and Imprint.
func PrepareToken(info TSTInfo, chain, carried [][]byte) (*Draft, error) {
	if info.algorithm == nil {
		info.algorithm = hashIdentifier(info.Hash)
	}
	if info.algorithm == nil || info.Hash == 0 || len(info.Imprint) != info.Hash.Size() {
		return nil, errors.New("a time-stamp needs a hash that is known and an imprint of its size")
	}
	if info.Serial == nil || info.Policy == "" || info.Time.IsZero() {
		return nil, errors.New("a time-stamp needs a policy, a number and a time")
	}
	policy, err := parseOID(info.Policy)
	if err != nil {
		return nil, fmt.Errorf("writing the policy: %w", err)
	}
	parts := [][]byte{number(1), policy,
		der(tagSequence, info.algorithm, der(tagOctets, info.Imprint)),
		integer(info.Serial), der(tagTime, []byte(info.Time.UTC().Format("20060102150405.999999Z")))}
	if info.Accuracy > 0 {
		parts = append(parts, accuracy(info.Accuracy))
	}
	if info.Ordering {
		parts = append(parts, []byte{tagBoolean, 1, 0xff})
	}
	if info.Nonce != nil {
		parts = append(parts, integer(info.Nonce))
	}
	if info.Authority != nil {
		parts = append(parts, der(tagContext|tagConstructed, info.Authority))
	}
	content := der(tagSequence, parts...)
	sum := sha256.Sum256(content)
	return prepare(oid(oidTSTInfo), content, sum[:], chain, carried)
}

func accuracy(d time.Duration) []byte {
	var parts [][]byte
	if s := d / time.Second; s > 0 {
		parts = append(parts, number(int64(s)))
	}
	if ms := d % time.Second / time.Millisecond; ms > 0 {
		parts = append(parts, der(tagContext, number(int64(ms))[2:]))
	}
	if us := d % time.Millisecond / time.Microsecond; us > 0 {
		parts = append(parts, der(tagContext|1, number(int64(us))[2:]))
	}
	return der(tagSequence, parts...)
}

// InfoFor begins the TSTInfo that answers a request.
func (q *Request) InfoFor() TSTInfo {
	return TSTInfo{Policy: q.Policy, Hash: q.Hash, HashName: q.Hash.String(), Imprint: q.Imprint, Nonce: q.Nonce, algorithm: q.algorithm}
}

// NewRequest writes a request for a time-stamp over a SHA-256, with the certificates wanted;
// a nil nonce is left out.
func NewRequest(digest []byte, nonce *big.Int) []byte {
	parts := [][]byte{number(1), der(tagSequence, der(tagSequence, oid(oidSHA256), null), der(tagOctets, digest))}
	if nonce != nil {
		parts = append(parts, integer(nonce))
	}
	return der(tagSequence, append(parts, []byte{tagBoolean, 1, 0xff})...)
}

// ErrExtension is for a request that asks for an extension: none is known.
var ErrExtension = errors.New("the request has an extension")

// ParseRequest reads a request for a time-stamp, of at most 64 KiB in DER.
func ParseRequest(b []byte) (*Request, error) {
	if len(b) > 64<<10 {
		return nil, errors.New("the request is too large")
	}
	outer := &reader{rest: b}
	r := outer.into(tagSequence, "the request")
	if v := r.small("the version"); r.err == nil && v != 1 {
		return nil, fmt.Errorf("the request has version %d", v)
	}
	imprint := r.into(tagSequence, "the imprint")
	q := &Request{}
	q.algorithm = (&reader{rest: imprint.rest}).take(tagSequence, "the hash").all
	q.Hash, _ = imprint.hash("the hash")
	q.Imprint = imprint.take(tagOctets, "the imprint").body
	if err := imprint.end("the imprint"); err != nil {
		return nil, err
	}
	if r.at(tagOID) {
		q.Policy = r.oid("the policy")
	}
	if r.at(tagInteger) {
		q.Nonce = r.integer("the nonce")
	}
	if r.at(tagBoolean) {
		q.WantsCert = !bytes.Equal(r.any().body, []byte{0})
	}
	if r.at(tagContext | tagConstructed) {
		return nil, ErrExtension
	}
	if err := errors.Join(r.end("the request"), outer.end("the request")); err != nil {
		return nil, err
	}
	if q.Hash != 0 && len(q.Imprint) != q.Hash.Size() {
		return nil, errors.New("the imprint has another size than the hash")
	}
	return q, nil
}

// Granted writes the answer with a token.
func Granted(token []byte) []byte { return der(tagSequence, der(tagSequence, number(0)), token) }

// Refused writes the answer without one. The text is read by people.
func Refused(why Failure, text string) []byte {
	bits := make([]byte, int(why)/8+1)
	bits[int(why)/8] = 0x80 >> (int(why) % 8)
	unused := byte(7 - int(why)%8)
	return der(tagSequence, der(tagSequence, number(2),
		der(tagSequence, der(tagUTF8, []byte(text))),
		der(tagBits, []byte{unused}, bits)))
}

// ParseResponse returns the token of an answer; one that grants none is an error that says
// the status and what stands with it.
func ParseResponse(b []byte) ([]byte, error) {
	b, taken, err := toDER(b)
	if err != nil {
		return nil, fmt.Errorf("reading an answer with a time-stamp: %w", err)
	}
	_ = taken // what stands behind is not looked at
	r := (&reader{rest: b}).into(tagSequence, "the answer")
	status := r.into(tagSequence, "the status")
	code := status.small("the status")
	if err := errors.Join(r.err, status.err); err != nil {
		return nil, fmt.Errorf("reading an answer with a time-stamp: %w", err)
	}
	if code > 1 {
		return nil, fmt.Errorf("the time-stamp authority refused: status %d", code)
	}
	token := r.take(tagSequence, "the token").all
	if err := r.end("the answer"); err != nil {
		return nil, fmt.Errorf("reading an answer with a time-stamp: %w", err)
	}
	return token, nil
}

// ParseToken reads a time-stamp token.
func ParseToken(b []byte) (*Token, error) {
	d, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if !d.IsTimestamp() || d.Content == nil || len(d.Signers) != 1 {
		return nil, errors.New("reading a time-stamp: it is none, or not signed by one authority")
	}
	t := &Token{SignedData: d}
	if err := t.Info.parse(d.Content); err != nil {
		return nil, fmt.Errorf("reading a time-stamp: %w", err)
	}
	return t, nil
}

func (i *TSTInfo) parse(b []byte) error {
	outer := &reader{rest: b}
	r := outer.into(tagSequence, "what it says")
	r.small("the version")
	i.Policy = r.oid("the policy")
	imprint := r.into(tagSequence, "the imprint")
	i.Hash, i.HashName = imprint.hash("the hash")
	i.Imprint = imprint.take(tagOctets, "the imprint").body
	if err := imprint.end("the imprint"); err != nil {
		return err
	}
	i.Serial = r.integer("the number")
	when := r.take(tagTime, "the time")
	if r.err != nil {
		return r.err
	}
	var err error
	if i.Time, err = generalized(string(when.body)); err != nil {
		return err
	}
	if r.at(tagSequence) {
		if i.Accuracy, err = parseAccuracy(r.any().body); err != nil {
			return err
		}
	}
	if r.at(tagBoolean) {
		i.Ordering = !bytes.Equal(r.any().body, []byte{0})
	}
	if r.at(tagInteger) {
		i.Nonce = r.integer("the nonce")
	}
	if r.at(tagContext | tagConstructed) {
		i.Authority = r.any().body
	}
	if r.at(tagContext | tagConstructed | 1) { // extensions
		r.any()
	}
	return errors.Join(r.end("what it says"), outer.end("what it says"))
}

func parseAccuracy(b []byte) (d time.Duration, err error) {
	r := &reader{rest: b}
	for r.more() {
		e := r.any()
		unit, ok := map[byte]time.Duration{tagInteger: time.Second, tagContext: time.Millisecond, tagContext | 1: time.Microsecond}[e.tag]
		if !ok || len(e.body) > 3 || len(e.body) == 0 {
			return 0, errors.New("its accuracy cannot be read")
		}
		d += time.Duration(new(big.Int).SetBytes(e.body).Int64()) * unit
	}
	return d, r.err
}

// digest is that of the TSTInfo by the hash of the token's signer.
func (t *Token) digest() []byte {
	hash := t.Signers[0].Hash
	if hash == 0 {
		return nil
	}
	h := hash.New()
	h.Write(t.Content)
	return h.Sum(nil)
}

func (t *Token) checkImprint(digest []byte) error {
	switch {
	case t.Info.Hash == 0:
		return errors.New("the time-stamp's hash " + t.Info.HashName + " is not known here")
	case !bytes.Equal(t.Info.Imprint, digest):
		return errors.New("the time-stamp is over something else")
	}
	return nil
}

// Verify checks that the token stamps data whose digest, by Info.Hash, is given, and that it
// was signed by the key of a certificate, nil meaning the one that it carries. Whether that
// certificate may be trusted to stamp is another question.
func (t *Token) Verify(digest []byte, certificate *x509.Certificate) Findings {
	f := t.Signers[0].Verify(t.digest(), certificate)
	f.Imprint = t.checkImprint(digest)
	return f
}

// hashIdentifier is the AlgorithmIdentifier of a hash, nil for one that is unknown.
func hashIdentifier(h crypto.Hash) []byte {
	for id, known := range hashes {
		if known == h {
			return der(tagSequence, oid(id), null)
		}
	}
	return nil
}
