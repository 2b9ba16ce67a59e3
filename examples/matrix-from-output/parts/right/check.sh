echo "right is fine"
