import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A supplier's system: reads the orders that it has to fill and reports each as shipped.
 *
 * <pre>KAFKA=127.0.0.1:9092 java -cp 'lib/*' Supplier.java [SUPPLIER_ID] [HOW_MANY]</pre>
 *
 * Without HOW_MANY it runs until Ctrl-C. Needs kafka-clients and jackson-databind.
 */
public class Supplier {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        String kafka = System.getenv("KAFKA");
        String supplier = args.length > 0 ? args[0] : "acme";
        int left = args.length > 1 ? Integer.parseInt(args[1]) : Integer.MAX_VALUE;
        var strings = new StringSerializer();
        var text = new StringDeserializer();
        Map<String, Object> sending = Map.of(
            "bootstrap.servers", kafka, "acks", "all", "enable.idempotence", true);
        Map<String, Object> reading = Map.of(
            "bootstrap.servers", kafka,
            // The group remembers how far this system has come. What was forwarded before its
            // first start is read too.
            "group.id", supplier + "-fulfilment-java",
            "auto.offset.reset", "earliest",
            // Committed below, when Kafka has taken the shipment: a crash repeats, it never
            // forgets.
            "enable.auto.commit", false);
        try (var producer = new KafkaProducer<>(sending, strings, strings);
                var consumer = new KafkaConsumer<>(reading, text, text)) {
            consumer.subscribe(List.of("supplier-orders.events"));
            while (left > 0) {
                for (var event : consumer.poll(Duration.ofSeconds(1))) {
                    var type = event.headers().lastHeader("ce_type").value();
                    // Other types, and types that are new, are passed over.
                    if (left > 0 && new String(type, StandardCharsets.UTF_8)
                            .equals("SupplierOrderForwarded")) {
                        JsonNode order = JSON.readTree(event.value());
                        if (order.at("/Order/ToCompanyID").asText().equals(supplier)) {
                            ship(producer, supplier, order);
                            left--;
                        }
                    }
                    consumer.commitSync(Map.of(
                        new TopicPartition(event.topic(), event.partition()),
                        new OffsetAndMetadata(event.offset() + 1)));
                    if (left == 0) {
                        break;
                    }
                }
            }
        }
    }

    /** Reports the whole of a supplier order as shipped now. */
    static void ship(KafkaProducer<String, String> producer, String supplier, JsonNode order)
            throws Exception {
        String orderId = order.at("/Order/ID").asText();
        String id = "ship-" + orderId;
        var body = JSON.createObjectNode()
            .put("ID", id)
            .put("SupplierID", supplier)
            .put("Shipper", "Parcel Co")
            .put("TrackingNumber", "PC123")
            .put("DateShipped", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        var items = body.putArray("Items");
        order.get("LineItems").forEach(line -> items.addObject()
            .put("OrderID", orderId)
            .put("LineItemID", line.get("ID").asText())
            .put("QuantityShipped", line.get("Quantity").asInt()));
        var record = new ProducerRecord<>("shipments.commands", id, body.toString());
        Map.of(
            "ce_specversion", "1.0",
            "ce_type", "CreateShipment",
            "ce_source", "/supplier/" + supplier,
            // Made of the order: after a crash the same shipment is recognised.
            "ce_id", "create-" + id,
            "content-type", "application/json"
        ).forEach((name, value) ->
            record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        producer.send(record).get();
        System.out.println("shipped " + orderId);
    }
}
