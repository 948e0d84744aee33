package result

import (
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// Stored is what was rendered at one event of an identification, as it is kept: the JSON
// of 8.3.3.2, which is also a webhook's body at every try, the XML and its signature, each
// sealed under the identification's key. Archive lists the members of the ZIP; it is empty
// where there is none, as are XML and Signature.
type Stored struct {
	Identification ident.ID
	Seq            int64 // from one
	Event          company.Event
	JSON           []byte
	XML            []byte
	Signature      []byte
	Hash           []byte // SHA-256 of the plain JSON
	Archive        string
	CreatedAt      time.Time
}

// Filed is an identification with its last result, as far as whoever asked wanted to know.
type Filed struct {
	Identification ident.Identification
	Result         Stored
}
