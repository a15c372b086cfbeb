#!/usr/bin/env bash
# A shop: saves its catalogue, places an order and follows it until it is completed.
#
#   KAFKA=127.0.0.1:9092 ./shop.sh [ORDER_ID] [SUPPLIER_ID]
#
# Needs kcat and jq (Debian, Ubuntu: apt-get install kcat jq).
set -euo pipefail
: "${KAFKA:?set it to the bootstrap servers, HOST:PORT}"
order=${1:-order-$(date +%s)}
supplier=${2:-acme}
lamp=$supplier-lamp
# Events are read from shortly before now, and told from older ones by their key.
since=$((($(date +%s) - 5) * 1000))

# send TOPIC TYPE KEY ID BODY; the body on one line: kcat makes a message of each.
# murmur2_random is Java's partitioner. librdkafka's own default is another one, and one key must
# always go to one partition, whoever sends.
send() {
  kcat -P -b "$KAFKA" -t "$1" -k "$3" -X acks=all -X topic.partitioner=murmur2_random \
    -H ce_specversion=1.0 -H "ce_type=$2" -H ce_source=/shop/shell -H "ce_id=$4" \
    -H content-type=application/json <<<"$5"
}

save() {
  local id
  id=$(jq -r .ID <<<"$2")
  send catalog.commands "Save$1" "$id" "save-$id-for-$order" "$2"
}

# events TOPIC: key, type and body of its events so far, a line each, between tabs.
events() {
  kcat -C -q -e -b "$KAFKA" -t "$1" -o "s@$since" -f '%k\t%h\t%s\n' |
    sed -E 's/^([^\t]*)\t.*ce_type=([^,\t]*)[^\t]*\t/\1\t\2\t/'
}

# wait_for TOPIC KEY TYPE: returns when the event is there, fails when the order is refused or
# after a minute.
wait_for() {
  local refused
  for _ in $(seq 120); do
    if events "$1" | awk -F '\t' -v key="$2" -v type="$3" \
      '$1 == key && $2 == type { found = 1 } END { exit !found }'; then
      echo "$3 $2"
      return
    fi
    refused=$(events commands.rejected | awk -F '\t' -v key="$order" '$1 == key { print $3 }')
    if [[ -n $refused ]]; then
      jq -r '.Errors[].Message' <<<"$refused" >&2
      return 1
    fi
    sleep 0.5
  done
  echo "no $3 about $2 came for a minute: is Ordermesh running?" >&2
  return 1
}

save Supplier "$(jq -nc --arg id "$supplier" '{ID: $id, Name: "Acme Lamps"}')"
save Buyer '{"ID": "hotel", "Name": "Hotel Adler", "Currency": "USD"}'
save PriceSchedule "$(jq -nc --arg lamp "$lamp" '{
  ID: "\($lamp)-price", Name: "Lamp", Currency: "USD",
  PriceBreaks: [{Quantity: 1, Price: 20.00}, {Quantity: 10, Price: 17.50}]
}')"
save Product "$(jq -nc --arg lamp "$lamp" --arg supplier "$supplier" '{
  ID: $lamp, Name: "Lamp", DefaultSupplierID: $supplier, DefaultPriceScheduleID: "\($lamp)-price"
}')"

# Topics are consumed independently, so an order sent right behind its catalogue may come before it.
wait_for catalog.events "$supplier" SupplierSaved
wait_for catalog.events hotel BuyerSaved
wait_for catalog.events "$lamp-price" PriceScheduleSaved
wait_for catalog.events "$lamp" ProductSaved

send orders.commands PlaceOrder "$order" "place-$order" "$(
  jq -nc --arg order "$order" --arg lamp "$lamp" '{
    Order: {ID: $order, FromCompanyID: "hotel"},
    LineItems: [{ID: "1", ProductID: $lamp, Quantity: 1}]
  }'
)"
wait_for orders.events "$order" OrderSubmitted
wait_for orders.events "$order" OrderCompleted
